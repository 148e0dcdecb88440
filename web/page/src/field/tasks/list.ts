/** The team's open cases in the order in which they will be gone to. Pure. */

import type { Client } from "../../shared/client";
import { OVER } from "../../shared/states";
import type { Action, Case, CaseEvent, State } from "../../shared/types";
import type { DeedEntry, Entry } from "../outbox/entry";
import { type LonLat, metresBetween } from "../position/place";
import type { Me } from "./me";

/** States in which the team has something to do at once; the others wait for the command centre, or for a day. */
const OURS: ReadonlySet<State> = new Set(["assigned", "accepted", "on_the_way", "on_scene"]);

export function isOurs(state: State): boolean {
  return OURS.has(state);
}

export interface Task {
  case: Case;
  metres: number | null;
  /** What this device did to it that has not arrived yet, oldest first. */
  pending: DeedEntry[];
}

/** Those the team must act on first, nearest first; then those that wait for the command centre. */
export function tasks(cases: readonly Case[], entries: readonly Entry[], from: LonLat | null, unit: string): Task[] {
  const deeds = entries.filter((e): e is DeedEntry => e.kind === "deed");
  const pending = deeds.filter((e) => e.state === "waiting" || e.state === "sending");
  return cases
    .map((c) => newest(c, deeds))
    .filter((c) => !unit || c.unit === unit || c.unit === null)
    .map((c) => ({
      case: c,
      metres: from && metresBetween(from, [c.lon, c.lat]),
      pending: pending.filter((e) => e.deed.case === c.case).sort((a, b) => a.createdAt - b.createdAt),
    }))
    .sort(
      (a, b) =>
        Number(isOurs(b.case.state)) - Number(isOurs(a.case.state)) ||
        (a.metres ?? 0) - (b.metres ?? 0) ||
        ((a.case.due_at ?? "") < (b.case.due_at ?? "") ? -1 : 1),
    );
}

/** A case as the list has it or as the server answered to a deed of ours, whichever is later. */
function newest(listed: Case, deeds: readonly DeedEntry[]): Case {
  const answers = deeds.flatMap((e) => (e.answer?.case === listed.case ? e.answer : []));
  return answers.reduce((a, b) => (b.seq > a.seq ? b : a), listed);
}

/** Whether a case is on the list of who looks: his team's, or one to which his unit goes for another team. */
export function concerns(c: Pick<Case, "team" | "unit">, { team, unit }: Me): boolean {
  return c.team === team || (unit !== "" && c.unit === unit);
}

/** All open cases of that list. */
export async function casesOf(client: Pick<Client, "everyCase">, { team, unit }: Me): Promise<Case[]> {
  const found = new Map<string, Case>();
  const take = (items: readonly Case[]): void => {
    for (const c of items) found.set(c.case, c);
  };
  const ofUnit = unit ? client.everyCase({ unit, open: true, limit: 200 }, take) : null;
  await Promise.all([client.everyCase({ team, open: true, limit: 200 }, take), ofUnit]);
  return [...found.values()];
}

/** The list after an event: changed, come, or gone (closed, or given to others). Older news never replaces newer. */
export function afterEvent(cases: readonly Case[], { case: next }: Pick<CaseEvent, "case">, me: Me): Case[] {
  const known = cases.find((c) => c.case === next.case);
  if (known && known.seq >= next.seq) return [...cases];
  const others = cases.filter((c) => c.case !== next.case);
  return concerns(next, me) && !OVER.has(next.state) ? [...others, next] : others;
}

/**
 * The usual next step from a state, so that the buttons stand where the thumb is before the server has been asked, and
 * without a network. What is truly allowed is the server's table; a step it refuses is kept and shown as refused.
 */
const USUAL: Partial<Record<State, readonly Action[]>> = {
  assigned: ["accept", "return", "suspend", "evidence"],
  accepted: ["arrive", "return", "suspend", "evidence"],
  on_the_way: ["arrive", "return", "suspend", "evidence"],
  on_scene: ["handle", "return", "suspend", "evidence"],
  suspended: ["resume", "evidence"],
  handled: ["evidence"],
};
const LEADS_TO: Partial<Record<Action, State>> = {
  accept: "accepted",
  arrive: "on_scene",
  handle: "handled",
  return: "returned",
  suspend: "suspended",
};

/** The state as it will be once everything pending has arrived. */
export function expectedState(task: Pick<Task, "case" | "pending">): State {
  return task.pending.reduce<State>((state, { deed }) => LEADS_TO[deed.action] ?? state, task.case.state);
}

export function nextSteps(task: Pick<Task, "case" | "pending">): readonly Action[] {
  // Where a suspended case goes on from, the server knows.
  if (task.pending.some(({ deed }) => deed.action === "resume")) return [];
  return USUAL[expectedState(task)] ?? [];
}

/** The sequence number to send along: none while earlier deeds of ours are on their way, for they will raise it. */
export function seqFor(task: Pick<Task, "case" | "pending">): number | null {
  return task.pending.length === 0 ? task.case.seq : null;
}
