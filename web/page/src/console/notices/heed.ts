/** What of an event concerns whom: a dispatcher who looks at everything, or at one team. Pure. */

import { OVER } from "../../shared/states";
import type { Case, CaseEvent, EventAction } from "../../shared/types";

/** Why somebody is told. */
export type Kind = "given" | "taken" | "returned" | "disputed" | "escalated" | "back" | "soon";

export interface Told {
  kind: Kind;
  case: string;
  seq: number;
  matter: { name: string; name_en: string };
  /** Whose it is now. */
  team: string;
  at: number;
}

/** What gives a case to a team, or takes it from one: without the case as it was before, only these can have. */
const MOVES: ReadonlySet<EventAction> = new Set(["report", "assign", "reassign", "rule", "relocate", "reopen"]);

/**
 * What an event is to whoever looks at `team` (empty: at all teams). A centre that looks at all is not told of what it
 * gave itself, only of what comes back to it.
 */
export function heed(event: CaseEvent, before: Case | null, team: string): Kind | null {
  const c = event.case;
  if (event.action === "return") {
    if (team && before?.team !== team && c.team !== team) return null;
    return c.state === "disputed" ? "disputed" : team ? null : "returned";
  }
  if (team) {
    const was = before ? before.team === team : false;
    if (c.team !== team) return was && !OVER.has(c.state) ? "taken" : null;
    if (MOVES.has(event.action) && (!was || event.action === "reopen") && c.state !== "triage") return "given";
    if (event.action === "rework") return "back";
  }
  return event.action === "escalate" ? "escalated" : null;
}

export function told(event: CaseEvent, kind: Kind): Told {
  const c = event.case;
  const matter = { name: c.matter_name, name_en: c.matter_name_en };
  return { kind, case: c.case, seq: event.seq, matter, team: c.team, at: Date.parse(event.at) };
}
