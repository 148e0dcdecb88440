/** What a plan for all who wait comes to on the screen. Pure: the page's other half only shows it. */

import type { Plan, PlanAnswer, PlanPair } from "../shared/types";
import type { PairLine } from "./assignment-lines";
import { spot } from "./place";

/** From so many waiting cases on, all at once may be better than one by one. */
export const MANY = 2;

/** How a plan compares with one by one, in the one way that says most. */
export type Gain =
  | { kind: "as_good" }
  /** So many more (or, below zero, fewer) are served; the way of one that is served, in seconds. */
  | { kind: "served"; more: number; mean: number; before: number }
  /** As many are served, in so many seconds less. */
  | { kind: "sooner"; saved: number; total: number; before: number }
  /** As many are served and nobody's way is shorter in sum: the more urgent ones are served first. */
  | { kind: "weighed"; longer: number };

export function gainOf({ gain }: Plan): Gain {
  const { all_at_once: all, one_by_one: single } = gain;
  if (gain.as_good) return { kind: "as_good" };
  if (all.served !== single.served) {
    return { kind: "served", more: all.served - single.served, mean: mean(all), before: mean(single) };
  }
  const saved = single.total_s - all.total_s;
  if (saved > 0) return { kind: "sooner", saved, total: all.total_s, before: single.total_s };
  return { kind: "weighed", longer: -saved };
}

function mean({ served, total_s }: { served: number; total_s: number }): number {
  return served === 0 ? 0 : total_s / served;
}

/** What is known of a pair by now. */
export type Fate =
  | { kind: "open" }
  /** Somebody moved the case since the plan was made: it cannot be accepted any more. */
  | { kind: "moved" }
  | { kind: "done" }
  | { kind: "refused"; detail: string };

/** `seq`: the step of the case as the page knows it now; undefined: it does not. */
export function fateOf(pair: PlanPair, seq: number | undefined, answers: ReadonlyMap<string, Fate>): Fate {
  return answers.get(pair.case) ?? (seq !== undefined && seq > pair.seq ? { kind: "moved" } : { kind: "open" });
}

/** What became of each pair, by case. */
export function fates(answer: PlanAnswer): Map<string, Fate> {
  return new Map(
    answer.answers.map(({ case: id, problem }) => [
      id,
      problem ? { kind: "refused", detail: problem.detail || problem.title } : { kind: "done" },
    ]),
  );
}

/** The pairs as they are drawn; `pointed`: the case that is pointed at. */
export function linesOf(
  pairs: readonly PlanPair[],
  chosen: (pair: PlanPair) => boolean,
  pointed: string,
): readonly PairLine[] {
  return pairs.map((pair) => ({
    from: spot(pair.from.lon, pair.from.lat),
    to: spot(pair.lon, pair.lat),
    look: pair.case === pointed ? "pointed" : chosen(pair) ? "chosen" : "left",
  }));
}

/** The last digits of a case's number, by which people call it. */
export function short(id: string): string {
  return id.slice(-5);
}
