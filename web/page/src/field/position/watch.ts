/** Where the device says it is, for as long as the page is open. */

import { useEffect, useState } from "preact/hooks";
import type { Datum } from "../../shared/types";
import type { Place } from "../outbox/entry";

export type FixState = "asking" | "fix" | "denied" | "unavailable" | "insecure";

export interface DevicePosition {
  state: FixState;
  fix: Place | null;
}

/** `round` counts the times somebody asked to locate anew: each starts a new watch. */
export function useDevicePosition(datum: Datum, round: number): DevicePosition {
  const [position, setPosition] = useState<DevicePosition>({ state: "asking", fix: null });
  useEffect(() => {
    if (!window.isSecureContext || !("geolocation" in navigator)) {
      setPosition({ state: "insecure", fix: null });
      return;
    }
    setPosition({ state: "asking", fix: null });
    const watch = navigator.geolocation.watchPosition(
      ({ coords, timestamp }) => {
        const { longitude: lon, latitude: lat, accuracy } = coords;
        setPosition({ state: "fix", fix: { lon, lat, accuracy, datum, by: "device", at: timestamp } });
      },
      (error) => {
        const state = error.code === error.PERMISSION_DENIED ? "denied" : "unavailable";
        setPosition((before) => (before.fix ? before : { state, fix: null }));
      },
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: 30_000 },
    );
    return () => navigator.geolocation.clearWatch(watch);
  }, [datum, round]);
  return position;
}

const KEPT = "onegrid.field.datum";

export function keptDatum(): Datum {
  return localStorage.getItem(KEPT) === "gcj02" ? "gcj02" : "wgs84";
}

export function keepDatum(datum: Datum): void {
  localStorage.setItem(KEPT, datum);
}
