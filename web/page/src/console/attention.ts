/** What of a case asks for a dispatcher's eye, and in which order. Pure: the moment is always an argument. */

import { OVER, RUNNING, shownAs } from "../shared/states";
import type { Case, State } from "../shared/types";

/** A case as held on the page: its moments parsed once. */
export interface Held {
  readonly c: Case;
  /** Infinite where nothing is due. */
  readonly due: number;
  /** From when on it is warned of. */
  readonly warn: number;
  readonly changed: number;
  readonly received: number;
}

/** How a case looks: the one thing about it that matters most. */
export type Look =
  | "late"
  | "returned"
  | "waiting"
  | "unclaimed"
  | "assigned"
  | "accepted"
  | "on_scene"
  | "handled"
  | "closed";

export interface Flags {
  open: boolean;
  /** Its clock runs. */
  runs: boolean;
  /** Not late yet, and most of its limit is used. */
  warned: boolean;
  late: boolean;
  returned: boolean;
  disputed: boolean;
  waiting: boolean;
  unclaimed: boolean;
  /** Its place is to be confirmed. */
  unsure: boolean;
}

/** From the most to the least pressing; the queue's order. */
export const LOOKS: readonly Look[] = [
  "late",
  "returned",
  "waiting",
  "unclaimed",
  "assigned",
  "accepted",
  "on_scene",
  "handled",
  "closed",
];

/** States in which a unit has yet to be found. */
const NEEDS_UNIT: ReadonlySet<State> = new Set(["assigned", "accepted"]);

export function hold(c: Case): Held {
  const at = (moment: string | null): number => (moment ? Date.parse(moment) : Number.POSITIVE_INFINITY);
  return {
    c,
    due: at(c.due_at),
    warn: at(c.warn_at),
    changed: Date.parse(c.changed_at),
    received: Date.parse(c.received_at),
  };
}

/** `unclaimedAfter`: milliseconds that a team has for accepting. */
export function flags(held: Held, now: number, unclaimedAfter: number): Flags {
  const { state, unit, notes } = held.c;
  const runs = RUNNING.has(state) && Number.isFinite(held.due);
  return {
    open: !OVER.has(state),
    runs,
    warned: runs && held.warn <= now && now <= held.due,
    late: runs && held.due < now,
    returned: state === "returned",
    disputed: state === "disputed",
    waiting: unit === null && NEEDS_UNIT.has(state),
    unclaimed: state === "assigned" && now - held.changed > unclaimedAfter,
    unsure: notes.includes("confirm_place") && state !== "handled" && !OVER.has(state),
  };
}

export function look(held: Held, now: number, unclaimedAfter: number): Look {
  const f = flags(held, now, unclaimedAfter);
  if (f.late) return "late";
  if (f.returned) return "returned";
  if (f.waiting) return "waiting";
  if (f.unclaimed) return "unclaimed";
  return shownAs(held.c.state);
}

/** A case in the list with how it looks at one moment. */
export interface Row {
  readonly held: Held;
  readonly look: Look;
}

const GROUP: Readonly<Record<Look, number>> = {
  late: 0,
  returned: 1,
  waiting: 2,
  unclaimed: 3,
  // All that is under way is one group: newest first.
  assigned: 4,
  accepted: 4,
  on_scene: 4,
  handled: 4,
  closed: 5,
};

/**
 * The queue's order: late (longest overdue first), returned (oldest first), waiting and unclaimed (most urgent, then
 * oldest first), then what is under way and what is closed, newest first. Equal ones by case number.
 */
export function byAttention(a: Row, b: Row): number {
  const group = GROUP[a.look] - GROUP[b.look];
  if (group !== 0) return group;
  const within = withinGroup(a, b);
  if (within !== 0) return within;
  return a.held.c.case < b.held.c.case ? 1 : a.held.c.case > b.held.c.case ? -1 : 0;
}

function withinGroup(a: Row, b: Row): number {
  switch (a.look) {
    case "late":
      return a.held.due - b.held.due;
    case "returned":
      return a.held.changed - b.held.changed;
    case "waiting":
    case "unclaimed":
      return a.held.c.urgency - b.held.c.urgency || a.held.received - b.held.received;
    case "closed":
      return b.held.changed - a.held.changed;
    default:
      return b.held.received - a.held.received;
  }
}

/** Newest first, whatever it is. */
export function byNewest(a: Row, b: Row): number {
  return b.held.received - a.held.received || (a.held.c.case < b.held.c.case ? 1 : -1);
}
