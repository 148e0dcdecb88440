/** What is ordered to be done to a case, and what can come of it. */

import { Refused } from "../shared/client";
import { lang } from "../shared/i18n";
import type { Action, Possible } from "../shared/types";
import { uuid } from "../shared/uuid";
import type { Pin } from "./pin";
import { t } from "./text";

/** What an action needs beside itself. The same `id` is sent again on a retry, so that nothing is recorded twice. */
export interface Order {
  id: string;
  action: Action;
  actor: string;
  note: string;
  team: string;
  /** Of `relocate`. */
  pin: Pin | null;
  /** Of `relocate`, instead of a pin: the team whose part of the circle is meant. */
  settles: string;
  seq: number;
}

export type Outcome =
  | { kind: "done" }
  | { kind: "conflict"; detail: string }
  | { kind: "refused"; detail: string }
  | { kind: "unsure" };

/** What came of an order that was not answered with the changed case. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Refused) || error.problem.status === 503) return { kind: "unsure" };
  const { problem } = error;
  const detail = [problem.detail || problem.title, problem.hint ?? ""].filter(Boolean).join(lang() === "zh" ? "" : " ");
  return { kind: problem.status === 409 ? "conflict" : "refused", detail };
}

/** A fresh order, ready to be sent. */
export function newOrder(action: Action, seq: number): Order {
  return { id: uuid(), action, actor: "", note: "", team: "", pin: null, settles: "", seq };
}

/** Whether an order has what its action needs. */
export function isReady(order: Order, needs: Possible["needs"]): boolean {
  const placed = order.pin?.moved === true || order.settles !== "";
  return needs.every((need) => (need === "position" ? placed : order[need].trim() !== ""));
}

/** What went wrong, in the language in use. */
export function said(error: unknown): string {
  if (error instanceof Refused) return error.problem.detail || error.problem.title;
  return t("unreachable");
}
