/** One attempt to hand one entry to the server, and what its answer means for the entry. */

import { type Client, Refused, Unreachable } from "../../shared/client";
import type { NewAction, NewReport, Problem } from "../../shared/types";
import { WAITS_FOR_PHOTOS_MS } from "./after";
import type { DeedEntry, Entry, Outcome, ReportEntry } from "./entry";

type KeepPhoto = (photo: string, sha256: string) => Promise<void>;

/** Photos first, each acknowledged one remembered by `keepPhoto`, so that a broken attempt does not send it twice. */
export async function attempt(
  entry: Entry,
  client: Client,
  keepPhoto: KeepPhoto,
  photosWithinMs = WAITS_FOR_PHOTOS_MS,
): Promise<Outcome> {
  try {
    if (entry.kind === "deed") {
      const photos = await uploaded(entry, client, keepPhoto, null);
      return { is: "done", answer: await client.act(entry.deed.case, deedBody(entry, photos)) };
    }
    const photos = await uploaded(entry, client, keepPhoto, AbortSignal.timeout(photosWithinMs));
    return { is: "delivered", receipt: { answer: await client.report(reportBody(entry, photos)), why: null } };
  } catch (error) {
    return outcomeOf(error);
  }
}

/** The digests of its photos. `until` ends the waiting for them: then those that came through, in time, are enough. */
async function uploaded(
  entry: Entry,
  client: Client,
  keepPhoto: KeepPhoto,
  until: AbortSignal | null,
): Promise<string[]> {
  const original = entry.kind === "deed" && entry.deed.evidence;
  const keep = (blob: Blob, name: string): Promise<{ sha256: string }> =>
    original ? client.evidence(blob, name, "photo") : client.photo(blob, name, until ?? undefined);
  const photos: string[] = [];
  for (const { id, blob, sha256 } of entry.photos) {
    if (sha256 !== null) photos.push(sha256);
    else if (blob !== null) {
      try {
        const kept = await keep(blob, `${id}.jpg`);
        await keepPhoto(id, kept.sha256);
        photos.push(kept.sha256);
      } catch (error) {
        if (until === null || outcomeOf(error).is !== "later") throw error;
        break;
      }
    }
  }
  return photos;
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
  const { action, actor, note, unit, seq, position, settles, role, reason, whose, until, evidence } = entry.deed;
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
    ...(photos.length && evidence ? { evidence: photos.map((sha256) => ({ sha256, officer: actor })) } : {}),
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
