/** The position in words: how exact it is, in which zones it lies, what to do when there is none. */

import type { Datum } from "../../shared/types";
import type { Place } from "../outbox/entry";
import type { DevicePosition } from "../position/watch";
import { t, type Word } from "../words";

const NO_FIX: Partial<Record<DevicePosition["state"], Word>> = {
  asking: "locating",
  denied: "noFixDenied",
  unavailable: "noFixUnavailable",
  insecure: "noFixInsecure",
};

/** From here on the circle is wider than most embankments are long: say so. */
const COARSE_M = 30;

export interface PlaceLineProps {
  device: DevicePosition;
  place: Place | null;
  zones: string[];
  outside: boolean;
  datum: Datum;
  onRelocate: () => void;
  onDatum: (datum: Datum) => void;
}

export function PlaceLine({ device, place, zones, outside, datum, onRelocate, onDatum }: PlaceLineProps) {
  const metres = place ? Math.round(place.accuracy) : 0;
  const exact = place && t(place.by === "hand" ? "byHand" : "accuracy", { m: metres });
  return (
    <div class="place-line">
      <div class="place-words" role="status">
        {place ? (
          <>
            <p class="exact">
              <strong>{exact}</strong>
              {place.by === "device" && metres >= COARSE_M && <span> · {t("coarse")}</span>}
            </p>
            <p class={outside ? "zones wrong" : "zones"}>{outside ? t("outsideAll") : zones.join(" · ")}</p>
          </>
        ) : (
          <p class="exact">{t(NO_FIX[device.state] ?? "locating")}</p>
        )}
        <details class="datum">
          <summary>{t("advanced")}</summary>
          {(["wgs84", "gcj02"] as const).map((value) => (
            <label key={value}>
              <input type="radio" name="datum" checked={datum === value} onChange={() => onDatum(value)} />
              {t(value === "wgs84" ? "datumWgs84" : "datumGcj02")}
            </label>
          ))}
          <p class="quiet">{t("datumHint")}</p>
        </details>
      </div>
      <button type="button" class="round" aria-label={t("locateAgain")} title={t("locateAgain")} onClick={onRelocate}>
        <svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true">
          <circle cx="12" cy="12" r="6" fill="none" stroke="currentColor" stroke-width="2" />
          <circle cx="12" cy="12" r="2" fill="currentColor" />
          <path d="M12 2v4M12 18v4M2 12h4M18 12h4" stroke="currentColor" stroke-width="2" />
        </svg>
      </button>
    </div>
  );
}
