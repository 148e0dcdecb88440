/**
 * A report does not wait for its photos: who comes is decided by its place and matter, and a thin line that carries
 * those may take minutes for a picture, or never get it through. What was left behind follows as the case's evidence,
 * after everything else that the phone owes.
 */

import type { ReportAnswer } from "../../shared/types";
import { t } from "../words";
import { type DeedEntry, deedOf, queued, type ReportEntry } from "./entry";

/** Milliseconds that a report waits for all of its photos together. */
export const WAITS_FOR_PHOTOS_MS = 20_000;
/** Milliseconds after which photos that follow let others pass. */
export const FOLLOWS_FOR_MS = 90_000;

/**
 * What takes the photos there that the report did not go with; null when it went with all. Its id is one that they had
 * all along, so that it is made once however often it is made.
 */
export function following(
  entry: ReportEntry,
  answer: ReportAnswer,
  went: readonly string[],
  now: number,
): DeedEntry | null {
  const photos = entry.photos
    .filter(({ blob, sha256 }) => blob !== null && (sha256 === null || !went.includes(sha256)))
    // As evidence they are kept in another place.
    .map((photo) => ({ ...photo, sha256: null }));
  const [first] = photos;
  if (!first) return null;
  const deed = {
    case: answer.joined ?? answer.case,
    action: "evidence",
    note: "",
    unit: "",
    actor: t("reporter"),
    role: "grid_worker",
    seq: null,
    matter: entry.draft.matter,
    evidence: true,
    follows: entry.draft.seenAt ?? entry.queuedAt ?? entry.createdAt,
  } as const;
  return queued(deedOf(first.id, deed, photos, now), now);
}
