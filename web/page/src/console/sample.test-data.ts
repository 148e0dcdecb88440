/** A case for tests: whole, and changed where a test speaks of it. */

import type { Case } from "../shared/types";

export function sample(patch: Partial<Case> = {}): Case {
  return {
    case: "3201182026112300001",
    state: "assigned",
    matter: "2103",
    matter_name: "非法捕捞",
    matter_name_en: "Illegal fishing",
    urgency: 2,
    team: "T01",
    unit: "T01-V1",
    lon: 118.88,
    lat: 31.33,
    accuracy_m: 20,
    source: "grid_worker",
    source_ref: null,
    text: "",
    township: "320118001",
    grid: "320118001001001",
    zones: {},
    seen_at: "2026-11-23T01:00:00.000Z",
    received_at: "2026-11-23T01:00:00.000Z",
    changed_at: "2026-11-23T01:00:00.000Z",
    due_at: "2026-11-23T05:00:00.000Z",
    warn_at: "2026-11-23T04:12:00.000Z",
    left_s: 14_400,
    assumed: [],
    eta_s: 400,
    mode: "vehicle",
    seq: 1,
    photos: [],
    notes: [],
    level: 0,
    stage: null,
    merged_into: null,
    suspended_until: null,
    ...patch,
  };
}
