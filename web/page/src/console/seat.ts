/** As whom somebody sits here: role and name, until there are accounts. Kept by this browser. */

import type { Possible, Role } from "../shared/types";

/** Those that a desk can be; a reporter has a page of his own. */
export const ROLES: readonly Role[] = ["dispatcher", "team", "grid_worker", "coordinator", "legal", "leader"];

export interface Seat {
  role: Role;
  /** Names that were typed, by role; a team's with its code. */
  names: Readonly<Record<string, string>>;
}

export const FIRST_SEAT: Seat = { role: "dispatcher", names: {} };

const KEPT = "onegrid.seat";

export function readSeat(text: string | null): Seat {
  try {
    const { role, names } = JSON.parse(text ?? "") as Partial<Seat>;
    const known = ROLES.find((one) => one === role) ?? FIRST_SEAT.role;
    const said = Object.entries(names ?? {}).filter(([, name]) => typeof name === "string");
    return { role: known, names: Object.fromEntries(said) };
  } catch {
    return FIRST_SEAT;
  }
}

export function rememberedSeat(): Seat {
  try {
    return readSeat(localStorage.getItem(KEPT));
  } catch {
    return FIRST_SEAT;
  }
}

export function rememberSeat(seat: Seat): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(seat));
  } catch {
    // Not remembered, still recorded.
  }
}

/** Whose name it is: each role has one, each team its own. */
export function nameKey(role: Role, team: string): string {
  return role === "team" ? `team:${team}` : role;
}

/** The usual way of a case, first to last: of what may be done, the first of these is the next step. */
const USUAL = [
  "assign",
  "accept",
  "set_out",
  "arrive",
  "handle",
  "rule",
  "resume",
  "verify",
  "close",
  "reopen",
  "reassign",
  "inquire",
  "review",
  "deliberate",
  "decide",
  "serve",
  "execute",
  "archive",
  "file",
] as const satisfies readonly Possible["action"][];

/** Often needed, and so never hidden. */
const OFTEN: ReadonlySet<string> = new Set([
  "arrive",
  "return",
  "reassign",
  "relocate",
  "rework",
  "close",
  "state_ground",
  "transfer",
  "penalise",
]);

export interface Choices {
  /** The step that the case waits for, whoever takes it. */
  next: Possible | undefined;
  /** What this role may do: the next step first. */
  shown: readonly Possible[];
  more: readonly Possible[];
}

/** What one role is offered of what may be done now. */
export function choices(possible: readonly Possible[], role: Role): Choices {
  const next = USUAL.map((action) => possible.find((one) => one.action === action)).find((one) => one);
  const mine = possible.filter((one) => one.by.includes(role));
  const rank = (one: Possible): number => (one === next ? 0 : OFTEN.has(one.action) ? 1 : 2);
  const order = [...mine].sort((a, b) => rank(a) - rank(b));
  const shown = order.filter((one) => rank(one) < 2);
  // One thing alone is not worth a lid.
  const more = order.filter((one) => rank(one) === 2);
  return more.length === 1 ? { next, shown: order, more: [] } : { next, shown, more };
}
