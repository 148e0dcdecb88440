/** Incidents on the map: each with its outline and a mark of its own that says how many cases it has. */

import { type GeoJSONSource, type Map as MapLibre, Marker } from "maplibre-gl";
import type { Incident } from "../shared/duplicates";
import { nameOf } from "../shared/i18n";
import { t } from "./same-words";

const OUTLINES = "incident-outlines";
const COLOUR = "#ff5d8f";

export class IncidentMarks {
  private readonly marks = new Map<string, Marker>();
  private known = "[]";

  constructor(private readonly map: MapLibre) {
    map.addSource(OUTLINES, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.addLayer({
      id: OUTLINES,
      type: "fill",
      source: OUTLINES,
      paint: { "fill-color": COLOUR, "fill-opacity": 0.14 },
    });
    map.addLayer({
      id: `${OUTLINES}-line`,
      type: "line",
      source: OUTLINES,
      paint: { "line-color": COLOUR, "line-width": 1.5, "line-dasharray": [3, 2] },
    });
  }

  /** These and no others, from now on. */
  show(incidents: readonly Incident[], onChoose: (incident: string) => void): void {
    const features = incidents.map(
      ({ incident, outline }): GeoJSON.Feature => ({ type: "Feature", properties: { incident }, geometry: outline }),
    );
    const now = JSON.stringify(features);
    // Each change costs the map a frame of the whole district.
    if (now !== this.known)
      void this.map.getSource<GeoJSONSource>(OUTLINES)?.setData({ type: "FeatureCollection", features });
    this.known = now;
    const still = new Set(incidents.map((one) => one.incident));
    for (const [id, mark] of this.marks) {
      if (still.has(id)) continue;
      mark.remove();
      this.marks.delete(id);
    }
    for (const one of incidents) {
      const mark = this.marks.get(one.incident) ?? this.made(one.incident, onChoose);
      const element = mark.getElement();
      element.textContent = String(one.cases.length);
      element.setAttribute("aria-label", t("incident.mark", { name: nameOf(one), n: one.cases.length }));
      element.title = nameOf(one);
      mark.setLngLat([one.lon, one.lat]).addTo(this.map);
    }
  }

  private made(id: string, onChoose: (incident: string) => void): Marker {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "incident-mark";
    element.dataset.incident = id;
    element.addEventListener("click", (event) => {
      // Not also a click on the map, which would open a case.
      event.stopPropagation();
      onChoose(id);
    });
    // Above its cases, whose signs would hide the figure.
    const mark = new Marker({ element, anchor: "bottom", offset: [0, -14] });
    this.marks.set(id, mark);
    return mark;
  }
}
