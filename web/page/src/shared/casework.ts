/** What comes with the steps of a case: evidence, papers of enforcement, disputes, powers, proofs. As `docs/api.md`. */

import type { Case, Named, Problem, Role } from "./types";

export type EvidenceKind = "photo" | "video" | "audio" | "document" | "note";

/** A file that the server keeps, byte for byte. */
export interface Kept {
  sha256: string;
  kind: EvidenceKind;
  media_type: string;
  bytes: number;
  received_at: string;
  /** Whether there is a small picture of it. */
  thumb: boolean;
}

/** A piece of evidence as it is attached to a case. */
export interface EvidenceItem {
  sha256: string;
  at?: string;
  lon?: number;
  lat?: number;
  officer?: string;
}

/** A piece as the record holds it. */
export interface SealedEvidence {
  sha256: string;
  kind: EvidenceKind;
  at?: string;
  place?: { lon: number; lat: number };
  officer?: string;
}

export interface Officer {
  /** Of the service card. */
  number: string;
  name: string;
}

export type Verdict = "pass" | "major" | "back";

/** What a step of the enforcement procedure brings with it. */
export interface Papers {
  officers?: Officer[];
  verdict?: Verdict;
  minutes?: string;
  power?: string;
  tier?: string;
  /** Yuan, as text to the fen. */
  amount?: string;
  way?: string;
  served_on?: string;
  to?: string;
  receipt?: string;
}

export interface EventDetails {
  role?: Role;
  reason?: string;
  whose?: string;
  /** Of the return that opened a dispute. */
  sides?: string[];
  side?: string;
  ruling?: { dispute: string; matter: string; team: string };
  into?: string;
  joined?: string;
  parted?: string;
  evidence?: SealedEvidence[];
  procedure?: Papers & { stage: string; range?: [string, string] | null };
}

/** Something that was said of a dispute. */
export interface Said {
  at: string;
  actor: string;
  team: string;
  note: string;
  reason?: string;
  whose?: string;
}

export interface Dispute {
  id: string;
  case: string;
  opened_at: string;
  matter: string;
  sides: string[];
  returns: Said[];
  grounds: Said[];
  ruling: Said | null;
  ended_by: string | null;
  open: boolean;
}

/** A ruling as a row of the decision table. */
export interface DraftRow {
  dispute: string;
  version: string;
  status: "new" | "replaces" | "covered" | "tie" | "unknown";
  row: Record<string, string> | null;
  against: string[];
  csv: string;
}

/** One item of the power list. */
export interface Power extends Named {
  department: string;
  department_name: string;
  kind: "penalty" | "coercion";
  bases: { law: string; article: string }[];
  tiers: { circumstances: string; range: string }[];
  procedure: "general" | "summary";
  origin: "law" | "list" | "made";
}

export interface PowerPage {
  version: string;
  total: number;
  items: Power[];
}

export interface Checkpoint {
  form: string;
  number: number;
  at: string;
  cases: number;
  events: number;
  root: string;
  prev: string;
  key: string;
  digest: string;
  signature: string;
}

/** That a case's head stands in the newest checkpoint. */
export interface Proof {
  case: string;
  seq: number;
  seal: string;
  place: number;
  size: number;
  path: string[];
  checkpoint: Checkpoint;
}

/** What became of one of many orders. */
export interface OrderAnswer {
  id: string | null;
  case: string | null;
  status: number;
  answer?: Case | null;
  problem?: Problem | null;
}

export interface OrdersAnswer {
  done: number;
  refused: number;
  answers: OrderAnswer[];
}
