/** The map with its switches, its legend, and the note of what is only schematic. */

import { useEffect, useRef, useState } from "preact/hooks";
import { lang } from "../shared/i18n";
import type { District, LayerInfo } from "../shared/types";
import { LOOKS } from "./attention";
import type { Desk } from "./desk";
import { CaseSign, UnitSign } from "./icons";
import { Incidents } from "./incidents";
import { MapView } from "./map-view";
import { coded, t } from "./text";

export function MapPane({ desk }: { desk: Desk }) {
  const box = useRef<HTMLDivElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const { district, extras, mapFailed, failedLayers, open, tab } = desk.store.state;

  useEffect(() => {
    const container = box.current;
    const above = over.current;
    if (!container || !above || !district || desk.map) return;
    MapView.make(container, above, district, (id) => desk.openCase(id)).then(
      (view) => {
        desk.setView(view);
        desk.store.set({});
      },
      () => desk.store.set({ mapFailed: true }),
    );
  }, [district]);
  useEffect(() => desk.map?.resize(), [open === null, tab]);

  return (
    <section class="map" aria-label={t("map.label")}>
      <div class="canvas" ref={box} />
      <canvas class="canvas above" ref={over} />
      {mapFailed && (
        <p class="map-failed" role="alert">
          {t("map.failed")}
        </p>
      )}
      {district && (
        <>
          <div class="map-tools">
            <button type="button" title={t("map.in")} aria-label={t("map.in")} onClick={() => desk.map?.zoom(1)}>
              ＋
            </button>
            <button type="button" title={t("map.out")} aria-label={t("map.out")} onClick={() => desk.map?.zoom(-1)}>
              －
            </button>
            <button type="button" class="text" onClick={() => desk.map?.home()}>
              {t("map.home")}
            </button>
          </div>
          <Layers desk={desk} district={district} />
          <Incidents desk={desk} />
          <footer class="map-foot">
            <Schematic layers={[...district.layers, ...extras]} failed={failedLayers} />
            <Legend />
          </footer>
        </>
      )}
    </section>
  );
}

/** Folded away where there is little room. */
const ROOMY = typeof matchMedia === "undefined" || matchMedia("(min-width: 900px)").matches;

function Layers({ desk, district }: { desk: Desk; district: District }) {
  const { hidden, extras } = desk.store.state;
  const rows = [
    { name: "cases", label: t("layer.cases"), real: true, source: "" },
    { name: "units", label: t("layer.units"), real: true, source: "" },
    ...[...district.layers, ...extras]
      .filter((layer) => layer.name !== "district")
      .map(({ name, label, label_en, real, source }) => ({
        name,
        label: lang() === "zh" ? label : label_en,
        real,
        source,
      })),
  ];
  return (
    <details class="map-box layers" open={ROOMY}>
      <summary>{t("map.layers")}</summary>
      <ul>
        {rows.map((row) => (
          <li key={row.name} title={row.source}>
            <label>
              <input
                type="checkbox"
                checked={!hidden.has(row.name)}
                onChange={(event) => desk.switchLayer(row.name, event.currentTarget.checked)}
              />
              <i class={`swatch ${row.name}`} aria-hidden="true" />
              <span>{row.label}</span>
              {!row.real && <em>{t("schematic")}</em>}
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Legend() {
  const [open, setOpen] = useState(ROOMY);
  return (
    <details class="legend" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("map.legend")}</summary>
      <ul>
        {LOOKS.filter((look) => look !== "closed").map((look) => (
          <li key={look}>
            <CaseSign look={look} size={18} />
            {t(`look.${look}`)}
          </li>
        ))}
        {(["vehicle", "boat"] as const).map((mode) => (
          <li key={mode} class="unit">
            <UnitSign mode={mode} busy={false} size={18} />
            <UnitSign mode={mode} busy={true} size={18} />
            {t("legend.unit", { mode: t(`mode.${mode}`) })}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Schematic({ layers, failed }: { layers: readonly LayerInfo[]; failed: readonly string[] }) {
  const join = lang() === "zh" ? "、" : ", ";
  const label = (layer: LayerInfo): string => (lang() === "zh" ? layer.label : layer.label_en || layer.label);
  const missing = failed.map((name) => {
    const layer = layers.find((one) => one.name === name);
    return layer ? label(layer) : coded("layer", name);
  });
  const schematic = layers.filter((layer) => !layer.real).map(label);
  return (
    <div class="map-note">
      {missing.length > 0 && (
        <p class="bad" role="alert">
          {t("map.layerFailed", { layers: missing.join(join) })}
        </p>
      )}
      {schematic.length > 0 && <p>{t("schematicNote", { layers: schematic.join(join) })}</p>}
    </div>
  );
}
