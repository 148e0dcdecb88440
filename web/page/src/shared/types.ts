/** The HTTP interface, version 1, as `docs/api.md` states it. Times are RFC 3339; positions are WGS 84 degrees. */

import type { EventDetails, EvidenceItem, Papers } from "./casework";

export type Lang = "zh" | "en";
export type Datum = "wgs84" | "cgcs2000" | "gcj02" | "bd09";
export type Source = "grid_worker" | "hotline_12345" | "video" | "digital_city" | "patrol" | "citizen" | "other";
export type State =
  | "triage"
  | "assigned"
  | "accepted"
  | "on_the_way"
  | "on_scene"
  | "handled"
  | "verified"
  | "closed"
  | "returned"
  | "disputed"
  | "suspended"
  | "merged"
  | "cancelled";
export type Action =
  | "assign"
  | "accept"
  | "set_out"
  | "arrive"
  | "handle"
  | "verify"
  | "rework"
  | "close"
  | "return"
  | "reassign"
  | "state_ground"
  | "rule"
  | "suspend"
  | "resume"
  | "merge"
  | "cancel"
  | "reopen"
  | "escalate"
  | "offer"
  | "relocate"
  | "evidence"
  | "file"
  | "inquire"
  | "review"
  | "deliberate"
  | "decide"
  | "penalise"
  | "serve"
  | "execute"
  | "archive"
  | "transfer"
  | "drop";
/** What an event of a case's record can be: an action, the report that began it, or what comes of something else. */
export type EventAction = Action | "report" | "joined" | "parted" | "reckon" | "disclose";
/** As whom somebody acts. Until there are accounts the page says it, and it is recorded. */
export type Role = "reporter" | "grid_worker" | "team" | "dispatcher" | "coordinator" | "legal" | "leader";
/** How far a case's enforcement procedure is. */
export type Stage =
  | "filed"
  | "inquiry"
  | "reviewed"
  | "major"
  | "deliberated"
  | "decided"
  | "served"
  | "executed"
  | "archived"
  | "transferred"
  | "dropped";
/** What must come with an action: the table's words. */
export type Need =
  | "note"
  | "team"
  | "position"
  | "until"
  | "into"
  | "evidence"
  | "officers"
  | "verdict"
  | "minutes"
  | "power"
  | "tier"
  | "amount"
  | "way"
  | "served_on"
  | "to"
  | "receipt";
export type Mode = "vehicle" | "boat";
export type TeamKind = "township" | "water" | "joint" | "specialist";

export interface Named {
  code: string;
  name: string;
  name_en: string;
}

export interface Contact {
  name?: string;
  phone?: string;
}

export interface NewReport {
  id?: string;
  lon: number;
  lat: number;
  datum?: Datum;
  accuracy_m?: number;
  seen_at?: string;
  source?: Source;
  matter: string;
  text?: string;
  contact?: Contact;
  photos?: string[];
  /** The open case that it is the same as, says its sender. */
  joins?: string;
}

export interface ZoneRef {
  layer: string;
  code: string;
  name: string;
}

export interface RuleCandidate {
  kind: "rule";
  code: string;
  team: string;
  chosen: boolean;
  reason: string;
}

export interface UnitCandidate {
  kind: "unit";
  code: string;
  mode: Mode;
  eta_s: number | null;
  distance_m: number | null;
  chosen: boolean;
  reason: string;
  /** Counted from where it was so many seconds before; null: from its base. */
  seen_s: number | null;
}

export type Candidate = RuleCandidate | UnitCandidate;

/** A team that would be responsible somewhere in the circle that a position is. */
export interface Outcome {
  team: string;
  team_name: string;
  team_name_en: string;
  rule: string;
  /** Of the circle's area in the district, 0 to 1. */
  share: number;
  /** A point well inside, around which all is alike for `clear_m` metres. */
  lon: number;
  lat: number;
  clear_m: number;
  zones: (ZoneRef & { name_en: string })[];
}

export interface Decision {
  version: string;
  rule: string;
  zones: ZoneRef[];
  candidates: Candidate[];
  notes: string[];
  facts: Record<string, number | string>;
  /** The circle that was weighed, in metres; null: the point decided alone. */
  radius_m: number | null;
  kinds: number;
  /** Where the teams differ within the circle: all of them, the chosen one first. */
  outcomes: Outcome[];
  /** Where the units are sent, if not to the place itself. */
  target?: { lon: number; lat: number } | null;
  /** The middle of the circle that was weighed, where the case is no longer shown there. */
  circle?: { lon: number; lat: number } | null;
}

export interface RoutedTeam extends Named {
  kind: TeamKind;
}

export interface RoutedUnit extends Named {
  team: string;
  mode: Mode;
  base: string;
  eta_s: number | null;
  distance_m: number | null;
}

export interface ReportAnswer {
  case: string;
  report: string;
  state: State;
  /** The id was known: this is the same case again. */
  known: boolean;
  /** The case that it was merged into as it was sent. */
  joined?: string | null;
  filled: string[];
  team: RoutedTeam;
  unit: RoutedUnit | null;
  decision: Decision;
}

export interface PhotoAnswer {
  sha256: string;
  width: number;
  height: number;
  bytes: number;
}

export interface Case {
  case: string;
  state: State;
  matter: string;
  matter_name: string;
  matter_name_en: string;
  /** 1 at once, 2 same day, 3 ordinary. */
  urgency: number;
  team: string;
  unit: string | null;
  lon: number;
  lat: number;
  accuracy_m: number;
  source: Source;
  /** The number that the case has in the system it came from. */
  source_ref: string | null;
  text: string;
  township: string | null;
  grid: string | null;
  zones: Record<string, string[]>;
  seen_at: string;
  received_at: string;
  changed_at: string;
  /** Null: nobody was sent yet, and nothing is due. */
  due_at: string | null;
  /** From then on it is warned of. */
  warn_at: string | null;
  /** Of the limit, in its own time, as of when it was told; negative when late. */
  left_s: number | null;
  /** How far up it was escalated. */
  level: number;
  /** Years whose holidays are not announced yet: counted by the day of the week. */
  assumed: number[];
  eta_s: number | null;
  mode: Mode | null;
  seq: number;
  photos: string[];
  notes: string[];
  stage: Stage | null;
  merged_into: string | null;
  /** A day of the district. */
  suspended_until: string | null;
}

/** Why a case is given this unit, or none, when all are planned for at once. */
export interface PlanWhy {
  code: "nearest" | "needed_elsewhere" | "spared" | "all_needed" | "no_unit";
  /** The nearest that may go, where another is sent, and the case it is given to. */
  unit: string | null;
  eta_s: number | null;
  case: string | null;
  /** Candidates that may not go, by why. */
  hindered: Record<string, number>;
}

/** A case that waits, as the plan saw it. */
export interface Planned extends Case {
  waited_s: number;
  why: PlanWhy;
  one_by_one: { unit: string; eta_s: number } | null;
}

export interface PlanPair extends Planned {
  unit: string;
  unit_name: string;
  unit_name_en: string;
  unit_team: string;
  mode: Mode;
  eta_s: number;
  distance_m: number;
  seen_s: number | null;
  /** Where the unit is counted from. */
  from: { lon: number; lat: number };
}

export interface PlanTally {
  cases: number;
  served: number;
  total_s: number;
  median_s: number | null;
}

export interface PlanSum extends PlanTally {
  cost: number;
  by_urgency: Record<string, PlanTally>;
}

/** Which unit should go to which waiting case, all at once, against one by one. */
export interface Plan {
  token: string;
  version: string;
  at: string;
  waiting: number;
  planned: number;
  pairs: PlanPair[];
  left: Planned[];
  gain: { as_good: boolean; saved: number; all_at_once: PlanSum; one_by_one: PlanSum };
}

/** A plan, or a part of it, accepted; the same `id` again does nothing twice. */
export interface PlanAcceptance {
  id: string;
  token: string;
  pairs: { case: string; unit: string; seq: number }[];
  actor: string;
}

export interface PlanAnswer {
  done: number;
  refused: number;
  answers: { case: string; unit: string; status: number; answer?: Case; problem?: Problem }[];
}

/** One event of a case's record, as the history lists it. */
export interface HistoryEvent {
  id: string;
  seq: number;
  at: string;
  action: EventAction;
  actor: string;
  note: string;
  /** What the case was once this was done. */
  after: { state: State; team: string; unit: string | null; level?: number; suspended_until?: string };
  photos: string[];
  /** Of the events that say where it lies: the first, and `relocate`. */
  place: { lon: number; lat: number; accuracy_m: number } | null;
  /** Of `relocate`: where it lay before, and what that led to. */
  was: { lon: number; lat: number; accuracy_m: number; rule: string; team: string } | null;
  /** What only some events tell. */
  details: EventDetails;
  sealed: string;
  prev: string;
}

/** Something that may be done to a case now, and what must come with it. */
export interface Possible {
  action: Action;
  by: Role[];
  needs: Need[];
}

export interface CaseReport {
  id: string;
  given_lon: number;
  given_lat: number;
  datum: Datum;
  accuracy_m: number;
  seen_at: string;
  received_at: string;
  source: Source;
  source_ref: string | null;
  matter: string;
  text: string;
  photos: string[];
  has_contact: boolean;
}

export interface CaseDetail extends Case {
  report: CaseReport;
  decision: Decision;
  history: HistoryEvent[];
  /** The reports of those that were merged into it. */
  joined: (CaseReport & { case: string })[];
  /** What may be done now. */
  actions: Possible[];
}

export interface Reasons {
  headline: string;
  steps: string[];
}

/** The way of a case's unit from where it is counted from; no geometry where it has none or cannot get there. */
export interface Way {
  type: "Feature";
  geometry: { type: "LineString"; coordinates: [number, number][] } | null;
  properties: {
    case: string;
    unit: string | null;
    mode: Mode | null;
    /** When the unit was there; null: it is counted from its base. */
    seen_at: string | null;
    seconds: number | null;
    metres: number | null;
  };
}

export interface Why {
  case: string;
  decision: Decision;
  zh: Reasons;
  en: Reasons;
}

export interface NewAction {
  id: string;
  action: Action;
  actor: string;
  note?: string;
  team?: string;
  unit?: string;
  /** Of `relocate`: where it is, as a report says it. */
  lon?: number;
  lat?: number;
  datum?: Datum;
  accuracy_m?: number;
  /** Of `relocate`, instead of a place: the team whose part of the circle is meant. */
  settles?: string;
  /** Of `merge`: the other case. */
  into?: string;
  seq?: number;
  role?: Role;
  /** Of `return`. */
  reason?: string;
  /** Of `suspend`: a day. */
  until?: string;
  evidence?: EvidenceItem[];
  procedure?: Papers;
  /** SHA-256 of each, from `POST /api/photos`. */
  photos?: string[];
}

export interface CaseQuery {
  state?: State;
  team?: string;
  matter?: string;
  unit?: string;
  open?: boolean;
  bbox?: readonly [number, number, number, number];
  from?: string;
  to?: string;
  limit?: number;
  cursor?: string;
}

/** Part of a list; `next` is the cursor of the part after it. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

export type CasePage = Page<Case>;

export interface Counters {
  open: number;
  /** Without a unit. */
  waiting: number;
  unclaimed: number;
  late: number;
  returned: number;
  disputed: number;
  closed_today: number;
  received_today: number;
}

export interface LayerInfo {
  name: string;
  label: string;
  label_en: string;
  /** False: schematic, and pages must say so. */
  real: boolean;
  source: string;
  count: number;
}

export interface District extends Named {
  version: string;
  bbox: [number, number, number, number];
  timezone: string;
  unclaimed_after_min: number;
  /** The cases are made, to show how it works. */
  demonstration: boolean;
  layers: LayerInfo[];
}

export interface Matter extends Named {
  class: string;
  department: string;
  department_name: string;
  urgency: number;
  limit: number;
  limit_unit: "h" | "working_h" | "working_d";
  on_water: boolean;
  legal_basis: string;
}

export interface Matters {
  version: string;
  classes: Named[];
  items: Matter[];
}

export interface Team extends Named {
  kind: TeamKind;
  base: { code: string; name: string; lon: number; lat: number };
  /** Open cases. */
  open: number;
}

export interface Unit extends Named {
  team: string;
  mode: Mode;
  crew: number;
  lon: number;
  lat: number;
  /** When it was there; null: this is its base, because no position of it is fresh. */
  seen_at: string | null;
  on_shift: boolean;
  /** The case it is on. */
  case: string | null;
}

/** Where a unit is counted from, as the stream tells it. */
export type UnitPosition = Pick<Unit, "lon" | "lat" | "seen_at" | "on_shift"> & { unit: string };

export interface ZoneCollection extends GeoJSON.FeatureCollection {
  real: boolean;
  source: string;
  label: string;
  label_en: string;
}

export interface Health {
  status: string;
  onegrid: string;
  database: string;
  postgis: string;
  district: { code: string; name: string; version: string };
}

/** What `GET /api/events` tells of a case. */
export interface CaseEvent {
  event: number;
  case: Case;
  seq: number;
  action: EventAction;
  at: string;
  actor: string;
  note: string;
}

/** An RFC 9457 problem document. */
export interface Problem {
  type?: string;
  code: string;
  title: string;
  detail: string;
  status: number;
  where?: Record<string, unknown>;
  hint?: string;
}
