/**
 * A report does not wait for its photos: who comes is decided by its place and matter, and a thin line that carries
 * those may take minutes for a picture, or never get it through. What was left behind follows as the case's evidence.
 */

import type { ReportAnswer } from "../../shared/types";
import { type DeedEntry, deedOf, type Photo, queued, type ReportEntry } from "./entry";

/** Milliseconds that a report waits for all of its photos together. */
export const WAITS_FOR_PHOTOS_MS = 20_000;

/** The photos that the server does not have. */
export function leftBehind(entry: ReportEntry): Photo[] {
  return entry.photos.filter((photo) => photo.sha256 === null && photo.blob !== null);
}

/** What takes them there; its id is one that they had all along, so that it is made once however often it is made. */
export function following(entry: ReportEntry, answer: ReportAnswer, now: number): DeedEntry | null {
  const photos = leftBehind(entry);
  const [first] = photos;
  if (!first) return null;
  const deed = {
    case: answer.joined ?? answer.case,
    action: "evidence",
    note: "",
    unit: "",
    actor: "grid_worker",
    role: "grid_worker",
    seq: null,
    matter: entry.draft.matter,
    evidence: true,
  } as const;
  return queued(deedOf(first.id, deed, photos, now), now);
}
