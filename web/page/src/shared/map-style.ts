/**
 * The map itself: a MapLibre style made of the district's own layers and nothing else. No tiles, no glyphs, no sprite:
 * names are drawn with the fonts of the machine, pictures are drawn here, and no request leaves for another host.
 */

import type {
  ExpressionSpecification,
  GeoJSONSource,
  LayerSpecification,
  Map as MapLibre,
  StyleSpecification,
} from "maplibre-gl";
import { labelPoints } from "./label-points";
import type { Lang } from "./types";

export const MAP_FONTS = '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';
const REGULAR = ["Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];
const BOLD = ["Noto Sans CJK SC Bold", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];

export type Paper = "dark" | "light";

interface Ink {
  outside: string;
  land: string;
  land2: string;
  edge: string;
  township: string;
  community: string;
  grid: string;
  water: string;
  shore: string;
  waterName: string;
  main: string;
  minor: string;
  bridge: string;
  dedicated: string;
  joint: string;
  name: string;
  name2: string;
  halo: string;
}

const INKS: Record<Paper, Ink> = {
  dark: {
    outside: "#0a0f12",
    land: "#172027",
    land2: "#1b262d",
    edge: "#7d93a1",
    township: "#5d7482",
    community: "#3a4b56",
    grid: "#31404a",
    water: "#10354b",
    shore: "#23607f",
    waterName: "#79b4d3",
    main: "#55636c",
    minor: "#323e46",
    bridge: "#8b9ba7",
    dedicated: "#8f86c9",
    joint: "#e08bb4",
    name: "#d3dee5",
    name2: "#95a7b3",
    halo: "#0d1317",
  },
  light: {
    outside: "#e4e9ec",
    land: "#fafaf7",
    land2: "#f3f4ee",
    edge: "#46545e",
    township: "#7c8b95",
    community: "#b9c3c9",
    grid: "#d0d8dc",
    water: "#bcdcee",
    shore: "#6da7c8",
    waterName: "#1d5f85",
    main: "#c9b98f",
    minor: "#dedbcf",
    bridge: "#6b675a",
    dedicated: "#6a5fb0",
    joint: "#b0306d",
    name: "#1c262d",
    name2: "#51606a",
    halo: "#ffffff",
  },
};

/** What can be switched on and off, and the style layers that each switch moves. */
export const SWITCHES = {
  township: ["township-tint", "township-line", "township-name"],
  community: ["community-line", "community-name"],
  grid: ["grid-line", "grid-name"],
  water: ["water-fill", "water-line", "water-name", "water-small-name"],
  dedicated: ["dedicated-fill", "dedicated-line", "dedicated-name"],
  joint: ["joint-fill", "joint-casing", "joint-line", "joint-name"],
  roads: ["roads-minor", "roads-main", "roads-bridge"],
  bases: ["bases", "bases-name"],
} as const;

/** Kinds of water that are many and small: named only when one looks closely. */
const SMALL_WATER = ["polder", "pond"];

export type Switch = keyof typeof SWITCHES;

const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
const ZONES = ["district", "township", "community", "grid", "water", "dedicated", "joint", "roads", "bases"] as const;
const NAMED = ["township", "community", "grid", "water", "dedicated", "joint"] as const;

const nameField = (lang: Lang): ExpressionSpecification =>
  lang === "zh" ? ["coalesce", ["get", "name"], ""] : ["coalesce", ["get", "name_en"], ["get", "name"], ""];

/** The style with all its layers and none of its data; `showZones` brings the data. */
export function districtStyle(paper: Paper, lang: Lang): StyleSpecification {
  const ink = INKS[paper];
  const sources: StyleSpecification["sources"] = {};
  for (const zone of ZONES) sources[zone] = { type: "geojson", data: EMPTY, tolerance: zone === "grid" ? 0.5 : 0.375 };
  for (const zone of NAMED) sources[`${zone}-names`] = { type: "geojson", data: EMPTY };
  const by = (...stops: number[]) => ["interpolate", ["linear"], ["zoom"], ...stops] as unknown as number;
  const name = (
    zone: (typeof NAMED)[number],
    colour: string,
    size: number,
    minzoom: number,
    more: Record<string, unknown> = {},
  ): LayerSpecification =>
    ({
      id: `${zone}-name`,
      type: "symbol",
      source: `${zone}-names`,
      minzoom,
      layout: {
        "text-field": zone === "grid" ? ["get", "code"] : nameField(lang),
        "text-font": REGULAR,
        "text-size": size,
        "text-padding": 6,
        "text-max-width": 8,
        ...more,
      },
      paint: { "text-color": colour, "text-halo-color": ink.halo, "text-halo-width": 1.6 },
    }) as LayerSpecification;

  return {
    version: 8,
    sources,
    layers: [
      { id: "outside", type: "background", paint: { "background-color": ink.outside } },
      { id: "district-fill", type: "fill", source: "district", paint: { "fill-color": ink.land } },
      {
        id: "township-tint",
        type: "fill",
        source: "township",
        paint: { "fill-color": ink.land2, "fill-opacity": ["case", ["get", "odd"], 1, 0] },
      },
      {
        id: "water-fill",
        type: "fill",
        source: "water",
        paint: { "fill-color": ink.water, "fill-opacity": ["match", ["get", "kind"], SMALL_WATER, 0.5, 1] },
      },
      {
        id: "dedicated-fill",
        type: "fill",
        source: "dedicated",
        paint: { "fill-color": ink.dedicated, "fill-opacity": 0.13 },
      },
      {
        id: "grid-line",
        type: "line",
        source: "grid",
        minzoom: 11.5,
        paint: { "line-color": ink.grid, "line-width": by(11.5, 0.4, 14, 1), "line-opacity": by(11.5, 0.2, 12.5, 1) },
      },
      {
        id: "community-line",
        type: "line",
        source: "community",
        minzoom: 10.6,
        paint: { "line-color": ink.community, "line-width": by(10.6, 0.5, 14, 1.6) },
      },
      {
        id: "water-line",
        type: "line",
        source: "water",
        paint: { "line-color": ink.shore, "line-width": by(9, 0.4, 14, 1.2) },
      },
      {
        id: "roads-minor",
        type: "line",
        source: "roads",
        minzoom: 10.4,
        filter: ["!=", ["get", "class"], "main"],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": ink.minor, "line-width": by(10.4, 0.6, 15, 3) },
      },
      {
        id: "roads-main",
        type: "line",
        source: "roads",
        filter: ["==", ["get", "class"], "main"],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": ink.main, "line-width": by(9, 0.8, 12, 1.8, 15, 5) },
      },
      {
        id: "roads-bridge",
        type: "line",
        source: "roads",
        minzoom: 12,
        filter: ["==", ["get", "bridge"], true],
        paint: { "line-color": ink.bridge, "line-width": by(12, 1.4, 15, 5) },
      },
      {
        id: "township-line",
        type: "line",
        source: "township",
        layout: { "line-join": "round" },
        paint: { "line-color": ink.township, "line-width": by(9, 0.9, 13, 2), "line-dasharray": [5, 2, 1, 2] },
      },
      {
        id: "dedicated-line",
        type: "line",
        source: "dedicated",
        paint: { "line-color": ink.dedicated, "line-width": by(9, 0.8, 14, 1.6), "line-dasharray": [3, 2] },
      },
      {
        id: "joint-fill",
        type: "fill",
        source: "joint",
        paint: { "fill-pattern": `hatch-${paper}`, "fill-opacity": 0.85 },
      },
      {
        id: "joint-casing",
        type: "line",
        source: "joint",
        layout: { "line-join": "round" },
        paint: { "line-color": ink.halo, "line-width": by(9, 3, 14, 5), "line-opacity": 0.8 },
      },
      {
        id: "joint-line",
        type: "line",
        source: "joint",
        layout: { "line-join": "round" },
        paint: { "line-color": ink.joint, "line-width": by(9, 1.4, 14, 2.6) },
      },
      {
        id: "district-line",
        type: "line",
        source: "district",
        layout: { "line-join": "round" },
        paint: { "line-color": ink.edge, "line-width": by(9, 1.4, 13, 2.6) },
      },
      name("grid", ink.name2, 10.5, 14.2),
      name("community", ink.name2, 11.5, 12),
      name("dedicated", ink.dedicated, 11.5, 12.2),
      {
        ...name("water", ink.waterName, 12, 9.2, {
          "text-letter-spacing": 0.12,
          "symbol-sort-key": ["-", 0, ["coalesce", ["get", "area_km2"], 0]],
        }),
        filter: ["!", ["in", ["get", "kind"], ["literal", SMALL_WATER]]],
      } as LayerSpecification,
      {
        ...name("water", ink.waterName, 11, 12.6),
        id: "water-small-name",
        filter: ["in", ["get", "kind"], ["literal", SMALL_WATER]],
      } as LayerSpecification,
      name("township", ink.name, 14, 8, {
        "text-font": BOLD,
        "text-letter-spacing": 0.15,
        "text-padding": 2,
        "text-variable-anchor": ["center", "bottom", "top"],
        "text-radial-offset": 0.9,
      }),
      name("joint", ink.joint, 12, 11.6, { "text-font": BOLD }),
      {
        id: "bases",
        type: "circle",
        source: "bases",
        minzoom: 9.5,
        paint: {
          "circle-radius": by(9.5, 2.2, 13, 4),
          "circle-color": ink.halo,
          "circle-stroke-color": ink.name2,
          "circle-stroke-width": 1.4,
        },
      },
      {
        id: "bases-name",
        type: "symbol",
        source: "bases",
        minzoom: 12.4,
        layout: {
          "text-field": nameField(lang),
          "text-font": REGULAR,
          "text-size": 11,
          "text-anchor": "top",
          "text-offset": [0, 1.4],
          "text-optional": true,
        },
        paint: { "text-color": ink.name2, "text-halo-color": ink.halo, "text-halo-width": 1.4 },
      },
    ],
  };
}

/** Give a layer of the style its zones. Neighbouring townships are told apart by every second one being tinted. */
export function showZones(map: MapLibre, layer: string, zones: GeoJSON.FeatureCollection): void {
  const shown =
    layer === "township"
      ? {
          ...zones,
          features: zones.features.map((zone, i) => ({
            ...zone,
            properties: { ...zone.properties, odd: i % 2 === 1 },
          })),
        }
      : zones;
  const source = map.getSource<GeoJSONSource>(layer);
  void source?.setData(shown);
  const names = map.getSource<GeoJSONSource>(`${layer}-names`);
  if (names) void names.setData(labelPoints(zones));
}

/** Put the names on the map into a language. */
export function nameZones(map: MapLibre, lang: Lang): void {
  for (const layer of [
    ...NAMED.filter((zone) => zone !== "grid").map((zone) => `${zone}-name`),
    "water-small-name",
    "bases-name",
  ]) {
    if (map.getLayer(layer)) map.setLayoutProperty(layer, "text-field", nameField(lang));
  }
}

export function switchZones(map: MapLibre, which: Switch, on: boolean): void {
  for (const layer of SWITCHES[which]) {
    if (map.getLayer(layer)) map.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
  }
}

/** The hatch of the joint areas. Call once the map is made, before its first frame is drawn. */
export function addHatch(map: MapLibre, paper: Paper): void {
  const size = 16;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.strokeStyle = INKS[paper].joint;
  pen.globalAlpha = paper === "dark" ? 0.55 : 0.5;
  pen.lineWidth = 1.8;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift - 2, size + 2);
    pen.lineTo(shift + size + 2, -2);
    pen.stroke();
  }
  map.addImage(`hatch-${paper}`, pen.getImageData(0, 0, size, size), { pixelRatio: 2 });
}
