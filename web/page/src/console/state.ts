/** What the command centre holds, and the one place that tells the screen to draw again. */

import type { Link } from "../shared/events";
import type { CaseDetail, Counters, District, LayerInfo, Matters, Named, Team, Unit, Why } from "../shared/types";
import type { Row } from "./attention";
import { Book, type DayTotals } from "./book";
import { ALL, type Filter } from "./filter";
import type { Pin } from "./pin";
import { rememberedSeat, type Seat } from "./seat";

export type Loading =
  | { kind: "district" }
  | { kind: "cases"; read: number }
  | { kind: "ready" }
  | { kind: "failed"; message: string };

export interface OpenCase {
  id: string;
  detail: CaseDetail | null;
  why: Why | null;
  failed: string;
  whyFailed: string;
}

export interface Notice {
  tone: "done" | "problem";
  /** Said anew when the language changes. */
  text: () => string;
  /** Beside what it is told; the orders, if it does not say. */
  beside?: Beside;
}

/** Parts of the panel from which something is ordered. */
export type Beside = "orders" | "enforcement";

export interface State {
  loading: Loading;
  link: Link;
  /** Since when the link is lost; 0 while it is not. */
  lostAt: number;
  now: number;
  district: District | null;
  /** The edition of the district's data that holds; what is drawn is `district`'s. */
  edition: string;
  matters: Matters | null;
  teams: ReadonlyMap<string, Team>;
  units: ReadonlyMap<string, Unit>;
  /** What is drawn beside the zones: roads and bases. */
  extras: readonly LayerInfo[];
  /** Names of zones, by layer and code. */
  places: ReadonlyMap<string, ReadonlyMap<string, Named>>;
  filter: Filter;
  rows: readonly Row[];
  counters: Counters | null;
  day: DayTotals;
  /** The row that the keyboard is on. */
  cursor: string;
  open: OpenCase | null;
  notice: Notice | null;
  /** As whom one sits here. */
  seat: Seat;
  /** The part of the panel that asks for an order: one at a time. */
  asking: Beside | null;
  /** Cases chosen for one action for all; null: one is not choosing. */
  chosen: ReadonlySet<string> | null;
  /** The list of disputes is open. */
  disputes: boolean;
  /** Where the open case is about to be put. */
  pin: Pin | null;
  /** Cases that have just arrived, with the moment until which they are highlighted. */
  fresh: ReadonlyMap<string, number>;
  help: boolean;
  /** The plan for all who wait is on the screen. */
  assigning: boolean;
  /** On a narrow screen: which of the two is shown. */
  tab: "queue" | "map";
  mapFailed: boolean;
  failedLayers: readonly string[];
  hidden: ReadonlySet<string>;
}

const FIRST: State = {
  loading: { kind: "district" },
  link: "connecting",
  lostAt: 0,
  now: Date.now(),
  district: null,
  edition: "",
  matters: null,
  teams: new Map(),
  units: new Map(),
  extras: [],
  places: new Map(),
  filter: ALL,
  rows: [],
  counters: null,
  day: { received: 0, closed: 0 },
  cursor: "",
  open: null,
  notice: null,
  seat: rememberedSeat(),
  asking: null,
  chosen: null,
  disputes: false,
  pin: null,
  fresh: new Map(),
  help: false,
  assigning: false,
  tab: "queue",
  mapFailed: false,
  failedLayers: [],
  hidden: new Set(["community"]),
};

export class Store {
  readonly book = new Book();
  private value: State = FIRST;
  private readonly listeners = new Set<() => void>();
  private frame = 0;

  get state(): State {
    return this.value;
  }

  set(patch: Partial<State>): void {
    this.value = { ...this.value, ...patch };
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const tell of this.listeners) tell();
    });
  }

  /** Told at most once a frame; the answer stops it. */
  subscribe(tell: () => void): () => void {
    this.listeners.add(tell);
    return () => this.listeners.delete(tell);
  }
}
