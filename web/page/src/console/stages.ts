/** The enforcement procedure of a case as a line of steps, from its record. Pure. */

import type { Papers } from "../shared/casework";
import type { Action, HistoryEvent, Stage } from "../shared/types";

export type StepAction = Extract<
  Action,
  "file" | "inquire" | "review" | "deliberate" | "decide" | "penalise" | "serve" | "execute" | "archive"
>;

const GENERAL: readonly StepAction[] = [
  "file",
  "inquire",
  "review",
  "deliberate",
  "decide",
  "serve",
  "execute",
  "archive",
];
/** 当场处罚: filed, inquired into and decided in one step. */
const SUMMARY: readonly StepAction[] = ["penalise", "serve", "execute", "archive"];

/** What comes next after each stage; null: the procedure is over. */
const NEXT: Readonly<Record<Stage, StepAction | null>> = {
  filed: "inquire",
  inquiry: "review",
  reviewed: "decide",
  major: "deliberate",
  deliberated: "decide",
  decided: "serve",
  served: "execute",
  executed: "archive",
  archived: null,
  transferred: null,
  dropped: null,
};

/** Stages of a procedure that is done with. */
export const STAGES_OVER: ReadonlySet<Stage> = new Set(["archived", "transferred", "dropped"]);

export interface LineStep {
  action: StepAction;
  /** `left`: it was not needed, or the procedure ended before it. `maybe`: only for a major case. */
  how: "done" | "next" | "ahead" | "left" | "maybe";
  /** When it was last done. */
  at: string | null;
}

export interface Line {
  summary: boolean;
  steps: readonly LineStep[];
  /** How it ended, where not by being archived. */
  ended: "transfer" | "drop" | null;
}

export type ProcedureEvent = HistoryEvent & { details: { procedure: Papers & { stage: string } } };

/** The steps of the procedure that a case is in, oldest first; those of one that came to nothing before are left out. */
export function procedureEvents(history: readonly HistoryEvent[]): ProcedureEvent[] {
  const all = history.filter((one): one is ProcedureEvent => one.details.procedure !== undefined);
  all.sort((a, b) => a.seq - b.seq);
  const begun = all.findLastIndex((one) => one.action === "file" || one.action === "penalise");
  return all.slice(Math.max(0, begun));
}

/** `stage` null: there is none yet, and the line is the one that it would go. */
export function lineOf(stage: Stage | null, history: readonly HistoryEvent[]): Line {
  const events = stage ? procedureEvents(history) : [];
  const last = new Map(events.map((one) => [one.action, one.at]));
  const summary = last.has("penalise");
  const next = stage ? NEXT[stage] : "file";
  const way = summary ? SUMMARY : GENERAL;
  const at = next ? way.indexOf(next) : way.length;
  const ended = stage === "transferred" ? "transfer" : stage === "dropped" ? "drop" : null;
  const steps = way.map((action, place): LineStep => {
    const done = last.get(action) ?? null;
    if (action === next) return { action, how: "next", at: null };
    if (place < at) return { action, how: done ? "done" : "left", at: done };
    return { action, how: action === "deliberate" ? "maybe" : "ahead", at: null };
  });
  return { summary, steps, ended };
}
