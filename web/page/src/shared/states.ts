/** What states are called, and how a page shows those that it has no look of its own for. The table is the server's. */

import type { Lang, State } from "./types";

const NAMES: Readonly<Record<State, readonly [string, string]>> = {
  triage: ["待审核", "to be looked at"],
  assigned: ["已派遣", "assigned"],
  accepted: ["已接受", "accepted"],
  on_the_way: ["前往中", "on the way"],
  on_scene: ["已到场", "on scene"],
  handled: ["已处置", "handled"],
  verified: ["已核查", "verified"],
  closed: ["已结案", "closed"],
  returned: ["已退回", "returned"],
  disputed: ["争议待裁定", "disputed"],
  suspended: ["已挂起", "suspended"],
  merged: ["已并案", "merged"],
  cancelled: ["已撤销", "cancelled"],
};

/** States of a case that nothing is left to be done to. */
export const OVER: ReadonlySet<State> = new Set(["closed", "merged", "cancelled"]);

/** States whose clock runs: the limit is the time from assignment to handled. */
export const RUNNING: ReadonlySet<State> = new Set([
  "assigned",
  "accepted",
  "on_the_way",
  "on_scene",
  "returned",
  "disputed",
]);

/** States in which the unit that a case names is on it. */
export const HOLDS_UNIT: ReadonlySet<State> = new Set(["assigned", "accepted", "on_the_way", "on_scene"]);

/** States with a colour and a sign of their own. */
export type Shown = "assigned" | "accepted" | "on_scene" | "handled" | "closed" | "returned";

const SHOWN_AS: Readonly<Record<State, Shown>> = {
  triage: "assigned",
  assigned: "assigned",
  accepted: "accepted",
  on_the_way: "accepted",
  on_scene: "on_scene",
  handled: "handled",
  verified: "handled",
  closed: "closed",
  returned: "returned",
  disputed: "returned",
  suspended: "handled",
  merged: "closed",
  cancelled: "closed",
};

/** The look of a state; of one that a later server may add, that of a case which somebody has. */
export function shownAs(state: State): Shown {
  return SHOWN_AS[state] ?? "assigned";
}

/** Its name; the code itself where there is none. */
export function stateName(state: State, lang: Lang): string {
  return NAMES[state]?.[lang === "zh" ? 0 : 1] ?? state;
}
