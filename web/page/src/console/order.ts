/** What is ordered to be done to a case, and what can come of it. */

import type { EvidenceItem, Papers } from "../shared/casework";
import { Refused } from "../shared/client";
import { lang } from "../shared/i18n";
import type { Action, Need, NewAction, Role } from "../shared/types";
import { uuid } from "../shared/uuid";
import type { Piece } from "./evidence";
import type { Pin } from "./pin";
import { t } from "./text";

/** What an action needs beside itself. The same `id` is sent again on a retry, so that nothing is recorded twice. */
export interface Order {
  id: string;
  action: Action;
  role: Role;
  actor: string;
  note: string;
  team: string;
  /** Empty: the nearest that is free. */
  unit: string;
  /** Of `return`. */
  reason: string;
  /** Of `suspend`: a day, 2026-11-23. */
  until: string;
  /** Of `merge`: the other case's number. */
  into: string;
  /** Of `relocate`. */
  pin: Pin | null;
  /** Of `relocate`, instead of a pin: the team whose part of the circle is meant. */
  settles: string;
  pieces: readonly Piece[];
  /** By whom the evidence was taken. */
  officer: string;
  /** Whether it was taken where the case lies. */
  there: boolean;
  papers: Papers;
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
  return { kind: problem.code === "case_moved_on" ? "conflict" : "refused", detail };
}

/** A fresh order, ready to be sent. */
export function newOrder(action: Action, seq: number, role: Role = "dispatcher"): Order {
  return {
    id: uuid(),
    action,
    role,
    actor: "",
    note: "",
    team: "",
    unit: "",
    reason: "",
    until: "",
    into: "",
    pin: null,
    settles: "",
    pieces: [],
    officer: "",
    there: false,
    papers: {},
    seq,
  };
}

/** Two officers at least, of different service cards. */
export const LEAST_OFFICERS = 2;

/** Whether an order has what its action needs; evidence that is still on its way is waited for. */
export function isReady(order: Order, needs: readonly Need[]): boolean {
  return needs.every((need) => has(order, need)) && order.pieces.every((piece) => piece.kept);
}

function has(order: Order, need: Need): boolean {
  const { papers } = order;
  switch (need) {
    case "position":
      return order.pin?.moved === true || order.settles !== "";
    case "evidence":
      return order.pieces.length > 0;
    case "officers":
      return new Set((papers.officers ?? []).map((one) => one.number.trim()).filter(Boolean)).size >= LEAST_OFFICERS;
    case "amount":
      return isAmount(papers.amount ?? "");
    case "note":
    case "team":
    case "until":
    case "into":
      return order[need].trim() !== "";
    default:
      return (papers[need] ?? "").trim() !== "";
  }
}

/** Yuan, to the fen. */
export function isAmount(text: string): boolean {
  return /^\d{1,12}(\.\d{1,2})?$/.test(text.trim());
}

/** As it is sent. `at`: where the case lies, for evidence that was taken there. */
export function bodyOf(order: Order, at: { lon: number; lat: number }): NewAction {
  const { id, action, role, actor, seq, pin, settles, pieces } = order;
  const texts = ["note", "team", "unit", "reason", "until", "into", "settles"] as const;
  const said = Object.fromEntries(texts.flatMap((name) => (order[name].trim() ? [[name, order[name].trim()]] : [])));
  const papers = Object.fromEntries(Object.entries(order.papers).filter(([, value]) => value.length > 0)) as Papers;
  if (papers.officers) papers.officers = papers.officers.filter((one) => one.number.trim());
  const evidence = pieces.flatMap((piece): EvidenceItem[] =>
    piece.kept
      ? [
          {
            sha256: piece.kept.sha256,
            ...(piece.at ? { at: piece.at } : {}),
            ...(order.there ? { lon: at.lon, lat: at.lat } : {}),
            ...(order.officer.trim() ? { officer: order.officer.trim() } : {}),
          },
        ]
      : [],
  );
  return {
    id,
    action,
    role,
    actor,
    seq,
    ...said,
    ...(pin && !settles ? { lon: pin.lon, lat: pin.lat, accuracy_m: pin.accuracy } : {}),
    ...(evidence.length > 0 ? { evidence } : {}),
    ...(Object.keys(papers).length > 0 ? { procedure: papers } : {}),
  };
}

/** What went wrong, in the language in use. */
export function said(error: unknown): string {
  if (error instanceof Refused) return error.problem.detail || error.problem.title;
  return t("unreachable");
}
