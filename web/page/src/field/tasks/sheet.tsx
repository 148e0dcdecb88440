/** One case before the team: what it is, where, and the next step as one big button. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import { lang, nameOf } from "../../shared/i18n";
import { clock, distance } from "../../shared/time";
import type { Action, District, Team, Why } from "../../shared/types";
import { uuid } from "../../shared/uuid";
import { type DeedEntry, deedOf, type Photo, type Place } from "../outbox/entry";
import { PlaceMap } from "../position/place-map";
import { CaseState } from "../records/receipt";
import { StateChip, Waiting } from "../records/status";
import { t, type Word } from "../words";
import { Due } from "./due";
import { expectedState, nextSteps, seqFor, type Task } from "./list";
import { needsWriting, Writer, type Writing, type Written } from "./writer";

/** Steps that are not the usual next one. */
const BESIDE: ReadonlySet<Action> = new Set(["suspend", "evidence"]);

export interface TaskSheetProps {
  client: Client;
  task: Task;
  teams: readonly Team[];
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
  const { client, district, task, teams, unit, actor, now, timeZone, onDeed, onHurry, onSay, onClose } = props;
  const c = task.case;
  const [writing, setWriting] = useState<Writing | null>(null);
  const [more, setMore] = useState(false);
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

  const act = async (action: Action, written: Written, photos: Photo[]): Promise<void> => {
    const matter = nameOf({ name: c.matter_name, name_en: c.matter_name_en });
    const deed = {
      case: c.case,
      action,
      role: "team" as const,
      ...written,
      actor,
      matter,
      seq: seqFor(task),
      unit: action === "accept" ? unit : "",
    };
    await onDeed(deedOf(uuid(), deed, photos, Date.now()));
  };
  const submit = async (action: Action, written: Written, photos: Photo[]): Promise<void> => {
    await act(action, written, photos);
    setWriting(null);
    setMore(false);
  };
  const begin = (action: Action): void => {
    if (needsWriting(action)) {
      setWriting(action);
      return;
    }
    // Now, not when it is stored: by then the hand may have opened the next thing.
    setMore(false);
    void act(action, { note: "" }, []);
  };

  const steps = nextSteps(task);
  const main = steps.find((step) => step !== "return" && !BESIDE.has(step));
  const beside = steps.filter((step) => BESIDE.has(step));
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
        {c.suspended_until && <p class="notice">{t("suspendedUntil", { day: c.suspended_until })}</p>}
        {!main && state !== "suspended" && <p class="notice">{t("awaitingCenter")}</p>}
      </div>
      {writing ? (
        <Writer
          key={writing}
          what={writing}
          others={teams.filter((team) => team.code !== c.team)}
          {...{ timeZone, onSay }}
          onCancel={() => setWriting(null)}
          onSubmit={(written, photos) => void submit(writing, written, photos)}
        />
      ) : (
        steps.length > 0 && (
          <>
            {more && (
              <div class="actions beside">
                {beside.map((step) => (
                  <button key={step} type="button" class="second" data-action={step} onClick={() => begin(step)}>
                    {t(step as Word)}
                  </button>
                ))}
              </div>
            )}
            <footer class="actions">
              <button type="button" class="ghost" aria-expanded={more} onClick={() => setMore(!more)}>
                {t("more")}
              </button>
              {steps.includes("return") && (
                <button type="button" class="second" onClick={() => setWriting("return")}>
                  {t("return")}
                </button>
              )}
              {main && (
                <button type="button" class={`primary ${state}`} data-action={main} onClick={() => begin(main)}>
                  {t(main as Word)}
                </button>
              )}
            </footer>
          </>
        )
      )}
    </div>
  );
}
