/** One case before the team: what it is, where, and the next step as one big button. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import { lang, nameOf } from "../../shared/i18n";
import { clock, distance } from "../../shared/time";
import type { Action, District, Why } from "../../shared/types";
import { uuid } from "../../shared/uuid";
import { type DeedEntry, deedOf, type Photo, type Place } from "../outbox/entry";
import { Camera, MOST_PHOTOS, Previews, prepare } from "../photo/photos";
import { PlaceMap } from "../position/place-map";
import { CaseState } from "../records/receipt";
import { StateChip, Waiting } from "../records/status";
import { t, type Word } from "../words";
import { Due } from "./due";
import { expectedState, nextSteps, seqFor, type Task } from "./list";

/** The two deeds that need words. */
type Writing = "handle" | "return";

const PHRASES: Record<Writing, Word[]> = {
  handle: ["handledPhrase1", "handledPhrase2", "handledPhrase3", "handledPhrase4"],
  return: ["reasonNotOurs", "reasonNotHere", "reasonNotFound", "reasonTwice"],
};

export interface TaskSheetProps {
  client: Client;
  task: Task;
  unit: string;
  actor: string;
  now: number;
  timeZone: string;
  district: District | null;
  onHurry: () => void;
  onDeed: (deed: DeedEntry) => Promise<void>;
  onSay: (text: string) => void;
  onClose: () => void;
}

export function TaskSheet(props: TaskSheetProps) {
  const { client, district, task, unit, actor, now, timeZone, onDeed, onHurry, onSay, onClose } = props;
  const c = task.case;
  const [writing, setWriting] = useState<Writing | null>(null);
  const [place] = useState<Place>({
    lon: c.lon,
    lat: c.lat,
    accuracy: c.accuracy_m,
    datum: "wgs84",
    by: "device",
    at: 0,
  });
  const [why, setWhy] = useState<Why | null>(null);
  useEffect(() => {
    let gone = false;
    client.why(c.case).then(
      (answer) => !gone && setWhy(answer),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [client, c.case]);

  const act = async (action: Action, note: string, photos: Photo[]): Promise<void> => {
    const matter = nameOf({ name: c.matter_name, name_en: c.matter_name_en });
    const deed = {
      case: c.case,
      action,
      note,
      actor,
      matter,
      seq: seqFor(task),
      unit: action === "accept" ? unit : "",
    };
    await onDeed(deedOf(uuid(), deed, photos, Date.now()));
    setWriting(null);
  };

  const steps = nextSteps(task);
  const main = steps.find((step) => step !== "return");
  const state = expectedState(task);
  return (
    <div class="sheet">
      <div class="sheet-body">
        <div class="picker-head">
          <button type="button" class="ghost" onClick={onClose}>
            ← {t("back")}
          </button>
          <span class="quiet">{c.case}</span>
        </div>
        <h2>
          {nameOf({ name: c.matter_name, name_en: c.matter_name_en })} <CaseState state={c.state} />
        </h2>
        <p class="task-facts">
          {task.metres !== null && <span>{t("away", { d: distance(task.metres, lang()) })}</span>}
          {c.due_at && <Due at={c.due_at} now={now} />}
        </p>
        {district && <PlaceMap {...{ client, district }} place={place} />}
        <dl>
          <dt>{t("report")}</dt>
          <dd>
            {clock(timeZone).stamp(c.seen_at)}
            {c.text && `：${c.text}`}
          </dd>
          <dt>{t("directions")}</dt>
          <dd>
            {c.lat.toFixed(5)}, {c.lon.toFixed(5)}（{t("accuracy", { m: Math.round(c.accuracy_m) })}）
          </dd>
          {why && (
            <>
              <dt>{t("why")}</dt>
              <dd>{why[lang()].headline}</dd>
            </>
          )}
        </dl>
        {c.photos.length > 0 && (
          <ul class="previews">
            {c.photos.map((sha256) => (
              <li key={sha256}>
                <a href={client.photoUrl(sha256)} target="_blank" rel="noreferrer">
                  <img src={client.photoUrl(sha256, "thumb")} alt={t("photo")} loading="lazy" />
                </a>
              </li>
            ))}
          </ul>
        )}
        {task.pending.map((entry) => (
          <div key={entry.id} class="pending">
            <p>
              <StateChip state={entry.state} /> {t(entry.deed.action as Word)}
            </p>
            <Waiting entry={entry} onHurry={onHurry} />
          </div>
        ))}
        {steps.length === 0 && <p class="notice">{t("awaitingCenter")}</p>}
      </div>
      {writing ? (
        <Writer
          key={writing}
          what={writing}
          onCancel={() => setWriting(null)}
          onSay={onSay}
          onSubmit={(note, photos) => void act(writing, note, photos)}
        />
      ) : (
        main && (
          <footer class="actions">
            <button type="button" class="second" onClick={() => setWriting("return")}>
              {t("return")}
            </button>
            <button
              type="button"
              class={`primary ${state}`}
              data-action={main}
              onClick={() => (main === "handle" ? setWriting("handle") : void act(main, "", []))}
            >
              {t(main as Word)}
            </button>
          </footer>
        )
      )}
    </div>
  );
}

interface WriterProps {
  what: Writing;
  onSubmit: (note: string, photos: Photo[]) => void;
  onCancel: () => void;
  onSay: (text: string) => void;
}

/** A few words by tapping a phrase or writing, and photos of what was done. */
function Writer({ what, onSubmit, onCancel, onSay }: WriterProps) {
  const [note, setNote] = useState("");
  const [photos, setPhotos] = useState<Photo[]>([]);
  const add = async (files: File[]): Promise<void> => {
    const taken = await prepare(files.slice(0, MOST_PHOTOS - photos.length));
    if (taken.unreadable) onSay(t("photoUnreadable"));
    setPhotos((before) => [...before, ...taken.photos]);
  };
  const submit = (): void => {
    if (note.trim()) onSubmit(note.trim(), photos);
    else onSay(t("noteNeeded"));
  };
  return (
    <form
      class="writer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <h3>{t(what === "handle" ? "note" : "returnWhy")}</h3>
      <div class="phrases">
        {PHRASES[what].map((word) => (
          <button
            type="button"
            class="chip-button"
            key={word}
            onClick={() => setNote((before) => (before ? `${before}；${t(word)}` : t(word)))}
          >
            {t(word)}
          </button>
        ))}
      </div>
      <textarea
        rows={2}
        value={note}
        maxLength={2000}
        aria-label={t(what === "handle" ? "note" : "returnWhy")}
        placeholder={what === "handle" ? t("noteHint") : ""}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <Previews photos={photos} onRemove={(id) => setPhotos((before) => before.filter((p) => p.id !== id))} />
      <footer class="actions">
        <button type="button" class="ghost" onClick={onCancel}>
          {t("cancel")}
        </button>
        <Camera className="second" camera onFiles={(files) => void add(files)}>
          {t("photo")}
        </Camera>
        <button type="submit" class="primary">
          {t(what === "handle" ? "handleSubmit" : "returnSubmit")}
        </button>
      </footer>
    </form>
  );
}
