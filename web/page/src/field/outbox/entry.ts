/**
 * One thing the device owes the server (a report, or something done to a case) and what may become of it.
 *
 *     draft -> waiting -> sending -> delivered
 *                 ^          |
 *                 +----------+--> rejected -> draft
 *
 * Pure: no clock, no storage, no network. An entry's id is made once, on the device, and is the server's id too, so
 * sending it again can never make a second report.
 */

import type { Action, Case, Datum, Problem, ReportAnswer, Role, Why } from "../../shared/types";

export type EntryState = "draft" | "waiting" | "sending" | "delivered" | "rejected";

/** A picture as it will be sent: already downscaled, metadata gone. */
export interface Photo {
  id: string;
  /** Null once it is delivered: the server keeps it, the phone need not. */
  blob: Blob | null;
  width: number;
  height: number;
  /** Set once the server has it. */
  sha256: string | null;
}

/** Where it was seen, in the datum it was given in. */
export interface Place {
  lon: number;
  lat: number;
  accuracy: number;
  datum: Datum;
  by: "device" | "hand";
  /** Epoch milliseconds. */
  at: number;
}

/** What the worker has put together so far. */
export interface Draft {
  place: Place | null;
  matter: string;
  text: string;
  name: string;
  phone: string;
  /** When it was seen: the first photo, else the moment of sending. Epoch milliseconds. */
  seenAt: number | null;
  /** The open case that the worker says it is the same as. */
  joins?: string;
}

/** Who will come, as the server answered; `why` follows when there is network enough. */
export interface Receipt {
  answer: ReportAnswer;
  why: Why | null;
}

export interface Deed {
  case: string;
  action: Action;
  note: string;
  unit: string;
  actor: string;
  /** The case's number of events that this device knew; null when an earlier deed of ours is still on its way. */
  seq: number | null;
  /** What the case is about, for the list. */
  matter: string;
  /** As whom; missing in what was kept before roles were said. */
  role?: Role;
  /** Of `return`: why, and whose it is. */
  reason?: string;
  whose?: string;
  /** Of `suspend`: until which day. */
  until?: string;
  /** The pictures are evidence: kept byte for byte as this phone sends them. */
  evidence?: boolean;
  /** They are those that a report went without (see `following`), and were taken then. Epoch milliseconds. */
  follows?: number;
  /** Of `relocate`: where it is (WGS 84), and how exactly that is known. */
  position?: { lon: number; lat: number; accuracy: number };
  /** Of `relocate`, instead of a place: the team whose part of the circle it is. */
  settles?: string;
}

interface Common {
  id: string;
  state: EntryState;
  /** Epoch milliseconds. */
  createdAt: number;
  queuedAt: number | null;
  settledAt: number | null;
  attempts: number;
  /** Not before this moment (epoch milliseconds). */
  notBefore: number;
  problem: Problem | null;
  photos: Photo[];
}

export type ReportEntry = Common & {
  kind: "report";
  draft: Draft;
  receipt: Receipt | null;
  /** The lists of photos that it was sent with, where nobody knows whether it arrived. */
  tries?: string[][];
};
/** `answer`: the case as it stood once the server had the deed. */
export type DeedEntry = Common & { kind: "deed"; deed: Deed; answer: Case | null };
export type Entry = ReportEntry | DeedEntry;

/** What came of one attempt. */
export type Outcome =
  /** `went`: the photos that the server has as the report's own. */
  | { is: "delivered"; receipt: Receipt; went: readonly string[] }
  | { is: "done"; answer: Case }
  | { is: "rejected"; problem: Problem }
  | { is: "later"; problem: Problem; retryAfterMs: number | null }
  /** The server no longer holds the pictures it once acknowledged: send them again. */
  | { is: "photos-gone"; problem: Problem };

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Milliseconds to wait after the n-th failed attempt (n from 1): doubled each time from 2 s to at most 5 min, of which
 * a random half is kept so that a hundred phones that regain the signal together do not all knock at once.
 */
export function backoff(attempts: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, attempts - 1));
  return Math.round(full / 2 + (full / 2) * random);
}

export function blank(id: string, now: number): ReportEntry {
  const draft: Draft = { place: null, matter: "", text: "", name: "", phone: "", seenAt: null };
  return { ...common(id, now), kind: "report", draft, receipt: null };
}

export function deedOf(id: string, deed: Deed, photos: Photo[], now: number): DeedEntry {
  return { ...common(id, now), kind: "deed", deed, photos, answer: null };
}

function common(id: string, now: number): Common {
  const untried = { queuedAt: null, settledAt: null, attempts: 0, notBefore: 0, problem: null };
  return { id, state: "draft", createdAt: now, ...untried, photos: [] };
}

export function queued<E extends Entry>(entry: E, now: number): E {
  return { ...entry, state: "waiting", queuedAt: now, attempts: 0, notBefore: now, problem: null };
}

export function started<E extends Entry>(entry: E): E {
  return { ...entry, state: "sending", attempts: entry.attempts + 1 };
}

/** Sent with these photos: until there is an answer nobody knows whether it arrived so. */
export function tried(entry: ReportEntry, photos: string[]): ReportEntry {
  const before = entry.tries ?? [];
  return before.some((list) => list.join() === photos.join()) ? entry : { ...entry, tries: [photos, ...before] };
}

/** Whether the attempt that began with `begun` is the one under way: not one given up, tried anew, and perhaps done. */
export function isStill(begun: Entry, stored: Entry): boolean {
  return stored.state === "sending" && stored.attempts === begun.attempts;
}

/** Not owed to the server, and not with it: may be changed or removed. */
export function atRest(entry: Entry): boolean {
  return entry.state === "draft" || entry.state === "rejected";
}

/** The entry after an attempt. Nothing is ever dropped: what was refused stays, with the reason. */
export function settled(entry: Entry, outcome: Outcome, now: number, random: number): Entry {
  switch (outcome.is) {
    case "delivered":
      return entry.kind === "report"
        ? { ...owning(arrived(entry, now), outcome.went), receipt: outcome.receipt }
        : entry;
    case "done":
      return entry.kind === "deed" ? { ...arrived(entry, now), answer: outcome.answer } : entry;
    case "rejected":
      return { ...entry, state: "rejected", settledAt: now, problem: outcome.problem };
    case "later":
      return {
        ...entry,
        state: "waiting",
        problem: outcome.problem,
        notBefore: now + Math.max(outcome.retryAfterMs ?? 0, backoff(entry.attempts, random)),
      };
    case "photos-gone":
      return {
        ...entry,
        state: "waiting",
        problem: outcome.problem,
        notBefore: now + backoff(entry.attempts, random),
        photos: entry.photos.map((photo) => ({ ...photo, sha256: null })),
      };
  }
}

/** Photos that it went without are not its own any more: see `following`. */
function owning({ tries: _, ...entry }: ReportEntry, went: readonly string[]): ReportEntry {
  return { ...entry, photos: entry.photos.filter(({ sha256 }) => sha256 !== null && went.includes(sha256)) };
}

function arrived<E extends Entry>(entry: E, now: number): E {
  const photos = entry.photos.map((photo) => ({ ...photo, blob: null }));
  return { ...entry, state: "delivered", settledAt: now, problem: null, photos };
}

/** An attempt that was cut off (the tab closed, the phone died): nobody knows whether it arrived, so it goes again. */
export function recovered(entry: Entry): Entry {
  return entry.state === "sending" ? { ...entry, state: "waiting" } : entry;
}

/**
 * A refused entry, open for changes. Its id stays, for the server holds nothing under it; except where the server
 * says that the id itself is taken, and then `freshId` is used.
 */
export function reopened<E extends Entry>(entry: E, freshId: string): E {
  const id = entry.problem?.code === "report_conflicts" ? freshId : entry.id;
  const fresh = entry.kind === "report" ? { tries: [] } : {};
  return { ...entry, ...fresh, id, state: "draft", queuedAt: null, settledAt: null, attempts: 0, notBefore: 0 };
}

/**
 * What may be sent now: those that failed least first (a large photo on a thin line must not hold up the others), then
 * the oldest; photos that follow their report last of all. A deed waits for earlier deeds on the same case, so their
 * order holds; photos that follow neither wait nor are waited for.
 */
export function due(entries: readonly Entry[], now: number): Entry[] {
  const held = new Set<string>();
  const out: Entry[] = [];
  for (const entry of entries.filter((e) => e.state === "waiting").sort(byAge)) {
    if (entry.kind === "deed" && !isFollowing(entry)) {
      if (held.has(entry.deed.case)) continue;
      held.add(entry.deed.case);
    }
    if (entry.notBefore <= now) out.push(entry);
  }
  return out.sort((a, b) => Number(isFollowing(a)) - Number(isFollowing(b)) || a.attempts - b.attempts || byAge(a, b));
}

/** Whether it brings photos that a report went without. */
export function isFollowing(entry: Entry): boolean {
  return entry.kind === "deed" && entry.deed.follows !== undefined;
}

/** Milliseconds until something is due; null when nothing waits. */
export function nextDueIn(entries: readonly Entry[], now: number): number | null {
  const waiting = entries.filter((e) => e.state === "waiting").map((e) => Math.max(0, e.notBefore - now));
  return waiting.length ? Math.min(...waiting) : null;
}

/** A signal is back, or somebody asked: waiting no longer helps, except where the server itself named a time. */
export function hurried(entry: Entry, now: number): Entry {
  return entry.state === "waiting" && entry.problem?.status !== 429 && entry.problem?.status !== 503
    ? { ...entry, notBefore: Math.min(entry.notBefore, now) }
    : entry;
}

const KEEP_DELIVERED = 60;
const KEEP_DELIVERED_MS = 14 * 24 * 3_600_000;

/** Ids of delivered entries that need not be kept any longer: old, or beyond the newest sixty. Only delivered ones. */
export function spent(entries: readonly Entry[], now: number): string[] {
  const delivered = entries.filter((e) => e.state === "delivered").sort((a, b) => byAge(b, a));
  return delivered
    .filter((e, rank) => rank >= KEEP_DELIVERED || now - (e.settledAt ?? e.createdAt) > KEEP_DELIVERED_MS)
    .map((e) => e.id);
}

function byAge(a: Entry, b: Entry): number {
  return (a.queuedAt ?? a.createdAt) - (b.queuedAt ?? b.createdAt) || (a.id < b.id ? -1 : 1);
}
