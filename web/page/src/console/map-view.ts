/** The map beside the queue: the district below, what changes above it, and what a click means. */

import type { Map as MapLibre } from "maplibre-gl";
import { lang } from "../shared/i18n";
import { makeMap } from "../shared/map";
import { nameZones, SWITCHES, type Switch, showZones, switchZones } from "../shared/map-style";
import type { Case, District, Unit } from "../shared/types";
import { IncidentMarks } from "./incident-marks";
import { Overlay } from "./overlay";
import { type Pin, PinDrop } from "./pin";
import { UnitRoom } from "./standing";

export class MapView {
  readonly over: Overlay;
  readonly incidents: IncidentMarks;
  private readonly room: UnitRoom;
  private readonly drop: PinDrop;

  private constructor(
    private readonly map: MapLibre,
    above: HTMLCanvasElement,
    private readonly district: District,
    onCase: (id: string) => void,
  ) {
    this.over = new Overlay(map, above);
    this.room = new UnitRoom(map);
    this.incidents = new IncidentMarks(map);
    this.drop = new PinDrop(map);
    map.on("click", ({ point, lngLat }) => {
      if (this.drop.isActive) {
        this.drop.put(lngLat.lng, lngLat.lat);
        return;
      }
      const id = this.over.caseAt(point.x, point.y);
      if (id) onCase(id);
    });
    map.on("mousemove", ({ point }) => {
      map.getCanvas().style.cursor = this.over.caseAt(point.x, point.y) ? "pointer" : "";
    });
  }

  /** `container` takes the district, `above` what changes on it. */
  static async make(
    container: HTMLElement,
    above: HTMLCanvasElement,
    district: District,
    onCase: (id: string) => void,
  ): Promise<MapView> {
    const map = await makeMap({ container, bbox: district.bbox, paper: "dark", lang: lang() });
    return new MapView(map, above, district, onCase);
  }

  zones(layer: string, zones: GeoJSON.FeatureCollection): void {
    showZones(this.map, layer, zones);
  }

  units(units: ReadonlyMap<string, Unit>): void {
    this.over.showUnits(units.values());
    this.room.show(units.values());
  }

  /** Ring a case and tie its unit to it; move only if it is not comfortably in view. */
  select(c: Case | null, unit: Unit | undefined, centre = false): void {
    this.over.select(c, unit);
    if (!c) return;
    const view = this.map.getBounds();
    const [wide, high] = [(view.getEast() - view.getWest()) * 0.08, (view.getNorth() - view.getSouth()) * 0.08];
    const inside =
      c.lon > view.getWest() + wide &&
      c.lon < view.getEast() - wide &&
      c.lat > view.getSouth() + high &&
      c.lat < view.getNorth() - high;
    const zoom = this.map.getZoom();
    const close = c.notes.includes("confirm_place") ? zoomOnto(c.accuracy_m, c.lat) : 13.5;
    if (centre) this.map.easeTo({ center: [c.lon, c.lat], zoom: Math.max(zoom, close), duration: calm(450) });
    else if (!inside) this.map.easeTo({ center: [c.lon, c.lat], duration: calm(350) });
  }

  /** Shows a pin to be put where a case is; while it is there, a click puts it and opens no case. */
  pin(pin: Pin | null, tell: (pin: Pin) => void): void {
    this.drop.show(pin, tell);
  }

  switchLayer(name: string, on: boolean): void {
    if (name in SWITCHES) switchZones(this.map, name as Switch, on);
    else this.over.show(name, on);
    if (name === "units") this.room.switchOn(on);
  }

  /** Brings all of these places into view, near but no nearer than a street. */
  frame(places: readonly { lon: number; lat: number }[]): void {
    if (places.length === 0) return;
    const [lons, lats] = [places.map(({ lon }) => lon), places.map(({ lat }) => lat)];
    const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
    this.map.fitBounds([west, south, east, north], { padding: 90, maxZoom: 13.5, duration: calm(400) });
  }

  home(): void {
    const [west, south, east, north] = this.district.bbox;
    this.map.fitBounds([west, south, east, north], { padding: 24, duration: calm(400) });
  }

  zoom(by: 1 | -1): void {
    if (by > 0) this.map.zoomIn({ duration: calm(200) });
    else this.map.zoomOut({ duration: calm(200) });
  }

  speak(): void {
    nameZones(this.map, lang());
  }

  resize(): void {
    this.map.resize();
  }
}

/** The zoom at which a circle of so many metres is 120 pixels in radius (tiles of 512). */
function zoomOnto(metres: number, lat: number): number {
  const wide = 2 * Math.PI * 6378137 * Math.cos((lat * Math.PI) / 180);
  return Math.min(18, Math.max(13.5, Math.log2((wide * 120) / (512 * Math.max(metres, 1)))));
}

/** A duration, or none for those who asked for less motion. */
function calm(ms: number): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : ms;
}
