/** The small map: the district's own layers, the accuracy circle, a pin that can be dragged or put down by a tap. */

import type { GeoJSONSource, Map as MapLibre, Marker } from "maplibre-gl";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import { lang } from "../../shared/i18n";
import type { District } from "../../shared/types";
import type { Place } from "../outbox/entry";
import { t } from "../words";
import { circle, fingerAccuracy, type LonLat, onMap, zoomFor } from "./place";

/** What the map draws, what matters most first. The grids themselves are left out: too much for a thin line. */
export const MAP_LAYERS = ["district", "township", "water", "roads", "joint", "community"] as const;

export interface PlaceMapProps {
  client: Client;
  district: District;
  place: Place | null;
  /** Without it the pin stands fast. */
  onPlace?: (place: Place) => void;
  onZones?: (layer: string, zones: GeoJSON.FeatureCollection) => void;
  /** Places to choose from, numbered from 1, instead of the pin; the circle then fills the map. */
  marks?: readonly LonLat[];
  onMark?: (index: number) => void;
}

interface Drawn {
  map: MapLibre;
  pin: Marker;
}

export function PlaceMap({ client, district, place, onPlace, onZones, marks, onMark }: PlaceMapProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const [ready, setReady] = useState(false);
  const moved = useRef(onPlace);
  moved.current = onPlace;
  const choose = useRef(onMark);
  choose.current = onMark;

  useEffect(() => {
    const container = box.current;
    if (!container) return;
    let gone = false;
    void (async () => {
      const [{ makeMap }, { showZones, switchZones }, { Marker: Pin, NavigationControl }, { ownWorker }] =
        await Promise.all([
          import("../../shared/map"),
          import("../../shared/map-style"),
          import("maplibre-gl"),
          import("./own-worker"),
        ]);
      await ownWorker();
      const map = await makeMap({ container, bbox: district.bbox, paper: "light", lang: lang(), padding: 8 });
      if (gone) return map.remove();
      map.addControl(new NavigationControl({ showCompass: false }), "top-right");
      map.addSource("circle", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
      map.addLayer({
        id: "circle",
        type: "fill",
        source: "circle",
        paint: { "fill-color": "#0a5e94", "fill-opacity": 0.16 },
      });
      map.addLayer({ id: "ring", type: "line", source: "circle", paint: { "line-color": "#0a5e94", "line-width": 2 } });
      const element = document.createElement("div");
      element.className = "pin";
      element.setAttribute("aria-label", t("pin"));
      const pin = new Pin({ element, draggable: moved.current !== undefined, anchor: "bottom" });
      const put = (lon: number, lat: number): void => {
        const accuracy = fingerAccuracy(map.getZoom(), lat);
        moved.current?.({ lon, lat, accuracy, datum: "wgs84", by: "hand", at: Date.now() });
      };
      pin.on("dragend", () => put(pin.getLngLat().lng, pin.getLngLat().lat));
      if (moved.current) map.on("click", ({ lngLat }) => put(lngLat.lng, lngLat.lat));
      marks?.forEach(([lon, lat], i) => {
        const mark = document.createElement("button");
        mark.className = "mark";
        mark.type = "button";
        mark.textContent = String(i + 1);
        mark.addEventListener("click", () => choose.current?.(i));
        new Pin({ element: mark }).setLngLat([lon, lat]).addTo(map);
      });
      switchZones(map, "grid", false);
      drawn.current = { map, pin };
      setReady(true);
      for (const layer of MAP_LAYERS) {
        if (layer !== "district" && !district.layers.some(({ name }) => name === layer) && layer !== "roads") continue;
        const zones = await client.zones(layer).catch(() => null);
        if (gone) return;
        if (!zones) continue;
        // The joint areas are named in words; their hatch would hide the roads one finds one's way by.
        if (layer !== "joint") showZones(map, layer, zones);
        onZones?.(layer, zones);
      }
      container.dataset.ready = "true";
    })();
    return () => {
      gone = true;
      drawn.current?.map.remove();
      drawn.current = null;
    };
  }, []);

  const lastShown = useRef<string>("");
  useEffect(() => {
    const here = drawn.current;
    if (!here || !ready) return;
    if (marks && place) around(here.map, place);
    else show(here, place, lastShown);
  }, [place, ready]);

  return <div class="place-map" ref={box} role="application" aria-label={t("mapLabel")} />;
}

/** The circle alone, as large as it fits. */
function around(map: MapLibre, place: Place): void {
  const at = onMap(place);
  const ring = circle(at, place.accuracy);
  void map.getSource<GeoJSONSource>("circle")?.setData(ring);
  const corners = ring.geometry.coordinates[0] ?? [];
  const [lons, lats] = [corners.map(([lon = 0]) => lon), corners.map(([, lat = 0]) => lat)];
  map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
    padding: 18,
    duration: 0,
  });
}

/** Puts pin and circle where the place is. The view follows a device's fix, but stays still under the worker's finger. */
function show({ map, pin }: Drawn, place: Place | null, last: { current: string }): void {
  const source = map.getSource<GeoJSONSource>("circle");
  if (!place) {
    pin.remove();
    last.current = "";
    void source?.setData({ type: "FeatureCollection", features: [] });
    return;
  }
  const at: LonLat = onMap(place);
  pin.setLngLat([at[0], at[1]]).addTo(map);
  void source?.setData(circle(at, place.accuracy));
  if (place.by === "device") {
    const zoom = zoomFor(place.accuracy, at[1], map.getContainer().clientHeight);
    if (last.current === "device") map.easeTo({ center: [at[0], at[1]], duration: 300 });
    else map.jumpTo({ center: [at[0], at[1]], zoom });
  }
  last.current = place.by;
}
