/** A pin that a dispatcher puts where a case really is: dragged, or set down by a click on the map. */

import { type Map as MapLibre, Marker } from "maplibre-gl";

export interface Pin {
  readonly lon: number;
  readonly lat: number;
  /** Metres to which it is known. */
  readonly accuracy: number;
  /** False: it still stands where the case is said to be. */
  readonly moved: boolean;
}

/** How exactly a mouse puts it down: four pixels on the ground at this zoom (tiles of 512), in whole metres. */
export function mouseAccuracy(zoom: number, lat: number): number {
  return Math.ceil((4 * 2 * Math.PI * 6378137 * Math.cos((lat * Math.PI) / 180)) / (512 * 2 ** zoom));
}

export class PinDrop {
  private marker: Marker | null = null;
  private tell: ((pin: Pin) => void) | null = null;

  constructor(private readonly map: MapLibre) {}

  get isActive(): boolean {
    return this.tell !== null;
  }

  /** Shows the pin and says where it is put from now on; null: no more. */
  show(pin: Pin | null, tell: (pin: Pin) => void): void {
    if (!pin) {
      this.marker?.remove();
      this.marker = null;
      this.tell = null;
      return;
    }
    this.tell = tell;
    if (!this.marker) {
      const element = document.createElement("div");
      element.className = "pin";
      this.marker = new Marker({ element, draggable: true, anchor: "bottom" });
      const { marker } = this;
      marker.on("dragend", () => this.put(marker.getLngLat().lng, marker.getLngLat().lat));
    }
    this.marker.setLngLat([pin.lon, pin.lat]).addTo(this.map);
  }

  put(lon: number, lat: number): void {
    this.tell?.({ lon, lat, accuracy: mouseAccuracy(this.map.getZoom(), lat), moved: true });
  }
}
