/** A report whose place is to be confirmed: what is asked, and what became of the answer. Pure. */

import type { Case, Outcome, ReportAnswer } from "../../shared/types";
import type { Deed, DeedEntry, Entry } from "../outbox/entry";

export interface Settlement {
  outcomes: readonly Outcome[];
  /** The answer that was given on this phone last, if any. */
  given: DeedEntry | null;
}

/** Null where nothing is asked (any more) and nothing was answered here. */
export function settlement(answer: ReportAnswer, live: Case | undefined, entries: readonly Entry[]): Settlement | null {
  if (answer.joined) return null;
  const outcomes = answer.decision.outcomes ?? [];
  if (!answer.decision.notes.includes("confirm_place") || outcomes.length < 2) return null;
  const given = entries
    .filter((e): e is DeedEntry => e.kind === "deed" && e.deed.action === "relocate" && e.deed.case === answer.case)
    .sort((a, b) => b.createdAt - a.createdAt)[0];
  const over =
    live &&
    (live.case !== answer.case ||
      live.state === "merged" ||
      !live.notes.includes("confirm_place") ||
      live.state === "handled" ||
      live.state === "closed");
  // What was refused because somebody else settled it is no longer asked about.
  if (given && !(over && given.state === "rejected")) return { outcomes, given };
  return over ? null : { outcomes, given: null };
}

/** Whether the worker is still asked: not yet answered, or the answer was refused. */
export function isAsked({ given }: Settlement): boolean {
  return given === null || given.state === "rejected";
}

/**
 * The deed that a tap on an outcome is: whose part of the circle is meant, for a tap measures no place. No step is named:
 * whatever was done to the case meanwhile, there it is.
 */
export function settling(answer: ReportAnswer, outcome: Outcome, actor: string, matter: string): Deed {
  return {
    case: answer.case,
    action: "relocate",
    note: "",
    unit: "",
    actor,
    seq: null,
    matter,
    settles: outcome.team,
  };
}

/** The outcome that an answer chose. */
export function chosen({ outcomes, given }: Settlement): Outcome | undefined {
  const deed = given?.deed;
  // Taps of an earlier page, still on their way, name a point.
  return outcomes.find(
    (one) => one.team === deed?.settles || (one.lon === deed?.position?.lon && one.lat === deed.position.lat),
  );
}

/** The case as this phone knows it best: the later of what was asked and what an answer of ours came back with. */
export function latest(live: Case | undefined, given: DeedEntry | null): Case | undefined {
  const answered = given?.answer ?? undefined;
  return answered && (!live || answered.seq > live.seq) ? answered : live;
}
