/** One attempt to hand one entry to the server, and what its answer means for the entry. */

import { type Client, Refused, Unreachable } from "../../shared/client";
import type { Case, NewAction, NewReport, Problem } from "../../shared/types";
import { leadingCase } from "../same/leading";
import type { DeedEntry, Entry, Outcome, ReportEntry } from "./entry";

/** What is to be remembered while an attempt goes on, so that it is not done twice, whatever breaks off. */
export interface Remember {
  /** The server has that photo. */
  photo(id: string, sha256: string): Promise<void>;
  /** The report goes out with these photos now. */
  going(photos: string[]): Promise<void>;
}

/** Photos first. `patience`: those of a report are not waited for beyond it, and others are let be. */
export async function attempt(
  entry: Entry,
  client: Client,
  remember: Remember,
  patience: AbortSignal | null,
): Promise<Outcome> {
  try {
    const photos = await uploaded(entry, client, remember, patience);
    if (entry.kind === "deed") return { is: "done", answer: await done(entry, client, deedBody(entry, photos)) };
    await remember.going(photos);
    return await delivered(entry, client, photos);
  } catch (error) {
    return outcomeOf(error);
  }
}

/** The digests of its photos; of a report's those that came through. */
async function uploaded(
  entry: Entry,
  client: Client,
  remember: Remember,
  patience: AbortSignal | null,
): Promise<string[]> {
  const original = entry.kind === "deed" && entry.deed.evidence;
  const signal = patience ?? undefined;
  const keep = (blob: Blob, name: string): Promise<{ sha256: string }> =>
    original ? client.evidence(blob, name, "photo", signal) : client.photo(blob, name, signal);
  const photos: string[] = [];
  for (const { id, blob, sha256 } of entry.photos) {
    if (sha256 !== null) photos.push(sha256);
    else if (blob !== null) {
      try {
        const kept = await keep(blob, `${id}.jpg`);
        await remember.photo(id, kept.sha256);
        photos.push(kept.sha256);
      } catch (error) {
        if (entry.kind === "deed" || !(error instanceof Unreachable)) throw error;
        break;
      }
    }
  }
  return photos;
}

/**
 * Sends the report. One that was sent before with fewer photos, and arrived, would be another one with these: then it
 * is the server's as it was, and they follow.
 */
async function delivered(entry: ReportEntry, client: Client, photos: string[]): Promise<Outcome> {
  const lists = [photos, ...(entry.tries ?? []).filter((list) => list.join() !== photos.join())];
  for (;;) {
    const went = lists.shift() ?? [];
    try {
      return { is: "delivered", receipt: { answer: await client.report(reportBody(entry, went)), why: null }, went };
    } catch (error) {
      const another = error instanceof Refused && error.problem.code === "report_conflicts";
      if (!another || lists.length === 0) throw error;
    }
  }
}

/** Does it. Photos that follow a report whose case was merged meanwhile go to the case that leads. */
async function done(entry: DeedEntry, client: Client, body: NewAction): Promise<Case> {
  const { deed } = entry;
  try {
    return await client.act(deed.case, body);
  } catch (error) {
    if (deed.follows === undefined || !(error instanceof Refused) || error.problem.status !== 409) throw error;
    const lead = await leadingCase(client, deed.case);
    if (!lead || lead.case === deed.case) throw error;
    return await client.act(lead.case, body);
  }
}

/** The report as the interface wants it. Throws when it has no place: the page lets no such report be sent. */
export function reportBody(entry: ReportEntry, photos: string[]): NewReport {
  const { place, matter, text, name, phone, seenAt, joins } = entry.draft;
  if (!place) throw new Error("a report without a place");
  return {
    id: entry.id,
    lon: place.lon,
    lat: place.lat,
    datum: place.datum,
    accuracy_m: Math.round(place.accuracy * 10) / 10,
    seen_at: new Date(seenAt ?? entry.queuedAt ?? entry.createdAt).toISOString(),
    source: "grid_worker",
    matter,
    text: text.trim(),
    contact: { name: name.trim(), phone: phone.trim() },
    photos,
    ...(joins ? { joins } : {}),
  };
}

export function deedBody(entry: DeedEntry, photos: string[]): NewAction {
  const { action, actor, note, unit, seq, position, settles, role, reason, whose, until, evidence, follows } =
    entry.deed;
  const at = follows === undefined ? {} : { at: new Date(follows).toISOString() };
  return {
    id: entry.id,
    action,
    actor,
    note,
    ...(unit ? { unit } : {}),
    ...(position ? { lon: position.lon, lat: position.lat, accuracy_m: position.accuracy } : {}),
    ...(settles ? { settles } : {}),
    ...(seq === null ? {} : { seq }),
    ...(role ? { role } : {}),
    ...(reason ? { reason } : {}),
    ...(whose ? { team: whose } : {}),
    ...(until ? { until } : {}),
    ...(photos.length && !evidence ? { photos } : {}),
    ...(photos.length && evidence ? { evidence: photos.map((sha256) => ({ sha256, officer: actor, ...at })) } : {}),
  };
}

/** Statuses after which the same request may well succeed later. */
const PASSING = new Set([408, 425, 429]);

/**
 * What an error means. A refusal counts only when it is our server's own (a problem document with a code): what a
 * proxy or the sign-in page of a public network says in the server's place says nothing of the report.
 */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Refused) {
    const { problem, retryAfter } = error;
    const retryAfterMs = retryAfter === null ? null : retryAfter * 1000;
    const ours = !problem.code.startsWith("http_");
    if (problem.code === "unknown_photo" || problem.code === "unknown_evidence") return { is: "photos-gone", problem };
    if (problem.status >= 500 || PASSING.has(problem.status)) return { is: "later", problem, retryAfterMs };
    if (ours || problem.status === 413) return { is: "rejected", problem };
    return { is: "later", problem, retryAfterMs };
  }
  if (error instanceof Unreachable) return { is: "later", problem: localProblem("unreachable"), retryAfterMs: null };
  return { is: "later", problem: localProblem("device_fault", String(error)), retryAfterMs: null };
}

/** Something that the device found out by itself; the page has the words for its code. */
export function localProblem(code: string, detail = ""): Problem {
  return { code, title: "", detail, status: 0 };
}
