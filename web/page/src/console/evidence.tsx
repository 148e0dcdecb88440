/** Evidence: files chosen, sent, hashed and shown as they come; and what the record of a case holds of it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { EvidenceKind, Kept, SealedEvidence } from "../shared/casework";
import { lang } from "../shared/i18n";
import { clock } from "../shared/time";
import type { CaseDetail } from "../shared/types";
import { uuid } from "../shared/uuid";
import type { Desk } from "./desk";
import { said } from "./order";
import { t } from "./text";
import { digestOf, kindOf, upload } from "./upload";
import { w } from "./words";

/** A file on its way to the server, or there. */
export interface Piece {
  readonly key: string;
  readonly file: File;
  readonly kind: EvidenceKind;
  /** When it was taken, RFC 3339: at first as the file says; empty where that is not known. */
  readonly at: string;
  /** 0 to 1. */
  readonly sent: number;
  readonly kept: Kept | null;
  readonly failed: string;
}

/** Of these a file's own time is most likely the moment; of a document it is that of the last change. */
const TAKEN: ReadonlySet<EvidenceKind> = new Set(["photo", "video", "audio"]);

/** As a date field takes it, in this browser's time. */
export function localOf(at: string): string {
  if (!at) return "";
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** As it is sent; empty where nothing was said. */
export function momentOf(local: string): string {
  const moment = new Date(local);
  return local && Number.isFinite(moment.getTime()) ? moment.toISOString() : "";
}

/** Most of one order. */
export const MOST_PIECES = 50;

interface ChooserProps {
  desk: Desk;
  pieces: readonly Piece[];
  onPieces: (change: (before: readonly Piece[]) => readonly Piece[]) => void;
}

/** Chosen files go to the server at once: when the form is sent, they are there. */
export function EvidenceChooser({ desk, pieces, onPieces }: ChooserProps) {
  const stops = useRef(new Map<string, AbortController>());
  useEffect(
    () => () => {
      for (const stop of stops.current.values()) stop.abort();
    },
    [],
  );
  const patch = (key: string, change: Partial<Piece>): void =>
    onPieces((before) => before.map((one) => (one.key === key ? { ...one, ...change } : one)));

  const send = async (piece: Piece): Promise<void> => {
    const stop = new AbortController();
    stops.current.set(piece.key, stop);
    patch(piece.key, { failed: "", sent: 0 });
    try {
      const [here, kept] = await Promise.all([
        digestOf(piece.file),
        upload({
          url: `${desk.client.base}/evidence`,
          file: piece.file,
          kind: piece.kind,
          lang: lang(),
          signal: stop.signal,
          onProgress: (sent) => patch(piece.key, { sent }),
        }),
      ]);
      // What arrived is not what was chosen: it must not stand as evidence.
      if (here && here !== kept.sha256) patch(piece.key, { failed: w("evidence.differs") });
      else patch(piece.key, { kept, sent: 1 });
    } catch (error) {
      if (!stop.signal.aborted) patch(piece.key, { failed: said(error) });
    }
  };

  const add = (files: readonly File[]): void => {
    const room = files.slice(0, MOST_PIECES - pieces.length);
    const fresh = room.map(
      (file): Piece => ({
        key: uuid(),
        file,
        kind: kindOf(file.type),
        at: TAKEN.has(kindOf(file.type)) ? new Date(Math.min(file.lastModified, Date.now())).toISOString() : "",
        sent: 0,
        kept: null,
        failed: "",
      }),
    );
    onPieces((before) => [...before, ...fresh]);
    for (const piece of fresh) void send(piece);
  };

  return (
    <div class="chooser">
      <label class="file">
        <span>{w("evidence.choose")}</span>
        <input
          type="file"
          multiple
          onChange={(event) => {
            add([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
      </label>
      <ul class="pieces" aria-live="polite">
        {pieces.map((piece) => (
          <li key={piece.key} class={piece.failed ? "bad" : piece.kept ? "kept" : "going"}>
            <Picture
              piece={piece}
              thumb={piece.kept?.thumb ? desk.client.evidenceUrl(piece.kept.sha256, "thumb") : ""}
            />
            <span class="of">
              <b>{piece.file.name}</b>
              {piece.failed ? (
                <em role="alert">{piece.failed}</em>
              ) : piece.kept ? (
                <>
                  <em>{w("evidence.kept", { size: sizeOf(piece.kept.bytes), hash: short(piece.kept.sha256) })}</em>
                  <label class="taken">
                    {w("evidence.taken")}
                    <input
                      type="datetime-local"
                      value={localOf(piece.at)}
                      onChange={(event) => patch(piece.key, { at: momentOf(event.currentTarget.value) })}
                    />
                  </label>
                </>
              ) : (
                <progress max={1} value={piece.sent} aria-label={w("evidence.sending", { name: piece.file.name })} />
              )}
            </span>
            {piece.failed && (
              <button type="button" onClick={() => void send(piece)}>
                {t("retry")}
              </button>
            )}
            <button
              type="button"
              class="plain"
              aria-label={w("evidence.remove", { name: piece.file.name })}
              title={w("evidence.remove", { name: piece.file.name })}
              onClick={() => {
                stops.current.get(piece.key)?.abort();
                onPieces((before) => before.filter((one) => one.key !== piece.key));
              }}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Picture({ piece, thumb }: { piece: Piece; thumb: string }) {
  return thumb ? (
    <img src={thumb} alt="" />
  ) : (
    <span class="kind" aria-hidden="true">
      {w(`evidence.${piece.kind}`)}
    </span>
  );
}

/** 12 kB, 3.4 MB. */
export function sizeOf(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The beginning of a digest, as much as anybody compares by eye. */
export function short(hex: string): string {
  return hex.slice(0, 12);
}

/** All evidence that the record of a case names, latest first. */
export function Evidence({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const those = detail.history.flatMap((event) => (event.details.evidence ?? []).map((one) => ({ one, event })));
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  if (those.length === 0) return null;
  return (
    <section aria-label={w("evidence.title")}>
      <h3>{w("evidence.title")}</h3>
      <ul class="pieces kept-pieces">
        {those.reverse().map(({ one, event }) => (
          <li key={`${event.seq}-${one.sha256}`}>
            <Sealed desk={desk} one={one} />
            <span class="of">
              <b>{w(`evidence.${one.kind}`)}</b>
              <em>
                {[
                  time.stamp(one.at ?? event.at),
                  one.officer ?? event.actor,
                  one.place && `${one.place.lon.toFixed(5)}, ${one.place.lat.toFixed(5)}`,
                  `SHA-256 ${short(one.sha256)}`,
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </em>
            </span>
            <a class="button" href={desk.client.evidenceUrl(one.sha256)} download title={one.sha256}>
              {w("evidence.save")}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A photo by its small picture; where there is none, its kind. */
function Sealed({ desk, one }: { desk: Desk; one: SealedEvidence }) {
  const [broken, setBroken] = useState(one.kind !== "photo");
  if (broken) {
    return (
      <span class="kind" aria-hidden="true">
        {w(`evidence.${one.kind}`)}
      </span>
    );
  }
  const alt = w(`evidence.${one.kind}`);
  return (
    <img src={desk.client.evidenceUrl(one.sha256, "thumb")} alt={alt} loading="lazy" onError={() => setBroken(true)} />
  );
}
