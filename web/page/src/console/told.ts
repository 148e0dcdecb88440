/** What an event of a case's history says beside what was done. Pure: names are given. */

import type { HistoryEvent } from "../shared/types";
import { w, wordOf } from "./words";

/** Short texts, in the order in which they are read. `team`: the name of one, by its code. */
export function told(event: HistoryEvent, team: (code: string) => string): string[] {
  const { reason, whose, sides, side, into, joined, parted, evidence, procedure } = event.details;
  const { level, suspended_until: until } = event.after;
  return [
    event.action === "escalate" && level ? w("toLevel", { n: level }) : "",
    event.action === "suspend" && until ? w("suspendedUntil", { day: until }) : "",
    reason ? wordOf("reason", reason) : "",
    whose ? w("dispute.whose", { team: team(whose) }) : "",
    sides ? sides.map(team).join(" ⇄ ") : "",
    side ? team(side) : "",
    into ? w("mergedInto", { case: into }) : "",
    joined ? w("joinedFrom", { case: joined }) : "",
    parted ? w("partedTo", { case: parted }) : "",
    evidence ? `${w("evidence.title")} × ${evidence.length}` : "",
    procedure?.verdict ? wordOf("verdict", procedure.verdict) : "",
    procedure?.power ? [procedure.power, procedure.tier].filter(Boolean).join(" · ") : "",
    procedure?.amount ? w("yuan", { n: procedure.amount }) : "",
    procedure?.receipt ? `${w("receipt")} ${procedure.receipt}` : "",
  ].filter(Boolean);
}
