/** What of an event concerns a crew: a case is given to it, taken from it, or comes back. Pure. */

import { OVER } from "../../shared/states";
import type { Case, CaseEvent, EventAction } from "../../shared/types";
import { concerns, isOurs } from "../tasks/list";
import type { Me } from "../tasks/me";

export type Kind = "given" | "taken" | "over" | "gone" | "back" | "paused" | "resumed" | "escalated";

/** What the crew does itself: nobody is told of what they did. */
const OWN: ReadonlySet<EventAction> = new Set(["accept", "set_out", "arrive", "handle", "return", "evidence"]);

/** Whether a case is the crew's: its unit's, be it for another team, or, for a whole team, the team's. */
export function isMine(c: Pick<Case, "team" | "unit">, me: Me): boolean {
  return me.unit ? c.unit === me.unit : c.team === me.team;
}

/** `before`: the case as it was known; null: it was not, so it was nobody's of the crew. */
export function heed(event: CaseEvent, before: Case | null, me: Me): Kind | null {
  if (!me.team) return null;
  const c = event.case;
  const was = before !== null && isMine(before, me) && isOurs(before.state);
  const is = isMine(c, me) && isOurs(c.state);
  if (is && event.action === "rework") return "back";
  // Whoever did it: for a day, or from now on, the crew has something else to do.
  if (was && event.action === "suspend") return "paused";
  if (is && event.action === "resume") return "resumed";
  if (is && !was) return OWN.has(event.action) ? null : "given";
  if (was && !is && !OWN.has(event.action)) return OVER.has(c.state) ? "over" : "taken";
  return is && event.action === "escalate" ? "escalated" : null;
}

/** What changed for the crew while it was not told: the list as it was known, and as it is. */
export function missed(known: ReadonlyMap<string, Case>, now: ReadonlyMap<string, Case>, me: Me): [Kind, Case][] {
  const told: [Kind, Case][] = [];
  const works = (c: Case | undefined): boolean => c !== undefined && isMine(c, me) && isOurs(c.state);
  for (const [number, c] of now) if (works(c) && !works(known.get(number))) told.push(["given", c]);
  for (const [number, c] of known) {
    const next = now.get(number);
    // What it sent back or handled itself is still on the list.
    if (works(c) && !works(next) && (!next || isOurs(next.state))) told.push([next ? "taken" : "gone", next ?? c]);
  }
  return told;
}

/** The cases of the crew's list, by number, after an event. */
export function afterEvent(known: ReadonlyMap<string, Case>, { case: next }: CaseEvent, me: Me): Map<string, Case> {
  const after = new Map(known);
  const before = after.get(next.case);
  if (before && before.seq >= next.seq) return after;
  if (concerns(next, me) && !OVER.has(next.state)) after.set(next.case, next);
  else after.delete(next.case);
  return after;
}
