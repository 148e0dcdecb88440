/** The same thing, reported again: what `POST /api/reports/duplicates` and its kin answer, and where many came close together. */

import type { State } from "./types";

/** An open case that a report, or another case, may be the same as. */
export interface Duplicate {
  case: string;
  score: number;
  distance_m: number;
  minutes: number;
  text: number | null;
  why: string[];
  zh: string;
  en: string;
  state: State;
  matter: string;
  matter_name: string;
  matter_name_en: string;
  lon: number;
  lat: number;
  seen_at: string;
  received_at: string;
  said: string;
}

/** A report that belongs to a case; nothing of who sent it. */
export interface Reporter {
  report: string;
  case: string;
  source: string;
  seen_at: string;
  received_at: string;
  has_contact: boolean;
}

/** Many cases of one kind close together. */
export interface Incident {
  incident: string;
  kind: string;
  name: string;
  name_en: string;
  /** Leading cases, in the order in which they came. */
  cases: string[];
  open: number;
  reports: number;
  first_seen: string;
  last_seen: string;
  lon: number;
  lat: number;
  outline: GeoJSON.Polygon;
}
