/** What a deed needs: a few words by tapping a phrase or writing, photos, whose it is, a day. */

import { useState } from "preact/hooks";
import { nameOf } from "../../shared/i18n";
import { clock } from "../../shared/time";
import type { Team } from "../../shared/types";
import type { Deed, Photo } from "../outbox/entry";
import { Camera, MOST_PHOTOS, originals, Previews, prepare } from "../photo/photos";
import { t, type Word } from "../words";

/** The deeds that need more than a tap. */
export type Writing = "handle" | "return" | "suspend" | "evidence";

export function needsWriting(action: string): action is Writing {
  return action === "handle" || action === "return" || action === "suspend" || action === "evidence";
}

/** A phrase to tap; of a return with the reason that it stands for. */
const PHRASES: Record<Writing, (readonly [Word, string])[]> = {
  handle: [
    ["handledPhrase1", ""],
    ["handledPhrase2", ""],
    ["handledPhrase3", ""],
    ["handledPhrase4", ""],
  ],
  return: [
    ["reasonNotOurs", "not_our_matter"],
    ["reasonNotHere", "not_our_place"],
    ["reasonNotFound", "not_found"],
    ["reasonTwice", "duplicate"],
  ],
  suspend: [
    ["reasonRain", ""],
    ["reasonOwner", ""],
    ["reasonGear", ""],
  ],
  evidence: [],
};
const TITLE: Record<Writing, Word> = {
  handle: "note",
  return: "returnWhy",
  suspend: "suspendWhy",
  evidence: "evidence",
};
const SUBMIT: Record<Writing, Word> = {
  handle: "handleSubmit",
  return: "returnSubmit",
  suspend: "suspendSubmit",
  evidence: "evidenceSubmit",
};

export type Written = Pick<Deed, "note" | "reason" | "whose" | "until" | "evidence">;

export interface WriterProps {
  what: Writing;
  /** Whose it may be instead. */
  others: readonly Team[];
  timeZone: string;
  onSubmit: (written: Written, photos: Photo[]) => void;
  onCancel: () => void;
  onSay: (text: string) => void;
}

export function Writer({ what, others, timeZone, onSubmit, onCancel, onSay }: WriterProps) {
  const [note, setNote] = useState("");
  const [reason, setReason] = useState("");
  const [whose, setWhose] = useState("");
  const [until, setUntil] = useState("");
  const [photos, setPhotos] = useState<Photo[]>([]);
  const evidence = what === "evidence";
  const add = async (files: File[]): Promise<void> => {
    const some = files.slice(0, MOST_PHOTOS - photos.length);
    const taken = evidence ? { photos: originals(some), unreadable: 0 } : await prepare(some);
    if (taken.unreadable) onSay(t("photoUnreadable"));
    setPhotos((before) => [...before, ...taken.photos]);
  };
  const submit = (): void => {
    const missing: Word | "" =
      evidence && photos.length === 0
        ? "evidenceNeeded"
        : what === "suspend" && !until
          ? "untilNeeded"
          : !evidence && !note.trim()
            ? "noteNeeded"
            : "";
    if (missing) {
      onSay(t(missing));
      return;
    }
    const more = { ...(reason ? { reason } : {}), ...(whose ? { whose } : {}), ...(until ? { until } : {}) };
    onSubmit({ note: note.trim(), ...more, ...(evidence ? { evidence } : {}) }, photos);
  };
  return (
    <form
      class="writer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <h3>{t(TITLE[what])}</h3>
      {evidence && <p class="quiet">{t("evidenceHint")}</p>}
      {PHRASES[what].length > 0 && (
        <div class="phrases">
          {PHRASES[what].map(([word, stands]) => (
            <button
              type="button"
              class="chip-button"
              key={word}
              onClick={() => {
                setNote((before) => (before ? `${before}；${t(word)}` : t(word)));
                if (stands) setReason(stands);
              }}
            >
              {t(word)}
            </button>
          ))}
        </div>
      )}
      {what === "suspend" && (
        <label class="row">
          <span>{t("until")}</span>
          <input
            type="date"
            min={clock(timeZone).day(Date.now() + 86_400_000)}
            value={until}
            onInput={(event) => setUntil(event.currentTarget.value)}
          />
        </label>
      )}
      {what === "return" && others.length > 0 && (
        <label class="row">
          <span>{t("whose")}</span>
          <select value={whose} onChange={(event) => setWhose(event.currentTarget.value)}>
            <option value="">{t("whoseUnknown")}</option>
            {others.map((team) => (
              <option key={team.code} value={team.code}>
                {nameOf(team)}
              </option>
            ))}
          </select>
        </label>
      )}
      <textarea
        rows={2}
        value={note}
        maxLength={2000}
        aria-label={t(evidence ? "evidenceNote" : TITLE[what])}
        placeholder={what === "handle" ? t("noteHint") : evidence ? t("evidenceNote") : ""}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <Previews photos={photos} onRemove={(id) => setPhotos((before) => before.filter((p) => p.id !== id))} />
      <footer class="actions">
        <button type="button" class="ghost" onClick={onCancel}>
          {t("cancel")}
        </button>
        {what !== "suspend" && (
          <Camera className="second" camera={!evidence} onFiles={(files) => void add(files)}>
            {t("photo")}
          </Camera>
        )}
        <button type="submit" class="primary">
          {t(SUBMIT[what])}
        </button>
      </footer>
    </form>
  );
}
