/** One action for many cases: which can be done to them, and the orders that it comes to. Pure. */

import type { Case, Need, NewAction, Possible, Role } from "../shared/types";
import { uuid } from "../shared/uuid";

/** Of one request. */
export const MOST_ORDERS = 500;

/** What can be asked for once and holds for all of them. */
const SHARED: ReadonlySet<Need> = new Set(["note", "team", "until", "into"]);

/** What may be done to a case follows from its state and its stage alone: cases of one kind are asked for once. */
export function kindOfCase(c: Pick<Case, "state" | "stage">): string {
  return `${c.state} ${c.stage ?? ""}`;
}

export interface Offer {
  action: Possible["action"];
  needs: readonly Need[];
  /** Cases it can be done to, in the order in which they were chosen. */
  cases: readonly string[];
}

/** What a role can do to some of the chosen, that which fits most of them first; `possible` by kind. */
export function offers(
  chosen: readonly Case[],
  possible: ReadonlyMap<string, readonly Possible[]>,
  role: Role,
): readonly Offer[] {
  const found = new Map<string, { action: Possible["action"]; needs: Set<Need>; cases: string[] }>();
  for (const c of chosen) {
    for (const { action, by, needs } of possible.get(kindOfCase(c)) ?? []) {
      if (!by.includes(role) || !needs.every((need) => SHARED.has(need))) continue;
      const known = found.get(action) ?? { action, needs: new Set(), cases: [] };
      found.set(action, known);
      for (const need of needs) known.needs.add(need);
      known.cases.push(c.case);
    }
  }
  return [...found.values()]
    .map(({ action, needs, cases }) => ({ action, needs: [...needs], cases }))
    .sort((a, b) => b.cases.length - a.cases.length);
}

export type ManyOrder = NewAction & { case: string };

/** An order for each; a case cannot be merged into itself. Each has the step that was looked at, and an id of its own. */
export function ordersFor(
  cases: readonly Case[],
  said: Pick<NewAction, "action" | "role" | "actor" | "note" | "team" | "until" | "into">,
): ManyOrder[] {
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value)) as typeof said;
  return cases.filter((c) => c.case !== said.into).map((c) => ({ id: uuid(), case: c.case, seq: c.seq, ...given }));
}
