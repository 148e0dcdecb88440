/** Everything this phone has reported: what waits, what was refused, and how each case goes on. */

import type { Client } from "../../shared/client";
import { nameOf } from "../../shared/i18n";
import { clock } from "../../shared/time";
import type { Case, District, Matters } from "../../shared/types";
import { Confirm } from "../confirm/confirm";
import { latest, settlement } from "../confirm/settlement";
import type { DeedEntry, Entry } from "../outbox/entry";
import { Previews } from "../photo/photos";
import { t, type Word } from "../words";
import { type Crews, ReceiptCard } from "./receipt";
import { Refusal, StateChip, Waiting } from "./status";

export interface RecordsProps {
  client: Client;
  district: District | null;
  crews: Crews;
  entries: Entry[];
  live: ReadonlyMap<string, Case>;
  matters: Matters | null;
  timeZone: string;
  onEdit: (id: string) => void;
  onDiscard: (id: string) => void;
  onHurry: () => void;
  onDeed: (deed: DeedEntry) => void;
}

/** What needs the worker first, then what is on its way, then the rest by age. */
const RANK = { rejected: 0, draft: 1, sending: 2, waiting: 2, delivered: 3 } as const;

export function Records(props: RecordsProps) {
  const { client, district, crews, entries, live, matters, timeZone, onEdit, onDiscard, onHurry, onDeed } = props;
  const at = clock(timeZone);
  const names = new Map([...(matters?.items ?? []), ...(matters?.classes ?? [])].map((m) => [m.code, nameOf(m)]));
  const shown = entries
    .filter((e) => e.kind === "report" || e.state !== "delivered")
    .sort((a, b) => RANK[a.state] - RANK[b.state] || b.createdAt - a.createdAt);
  if (shown.length === 0) return <p class="empty">{t("sentEmpty")}</p>;
  return (
    <ul class="records">
      {shown.map((entry) => {
        const code = entry.kind === "report" ? entry.draft.matter : entry.deed.matter;
        const what = names.get(code) ?? code;
        const receipt = entry.kind === "report" ? entry.receipt : null;
        const now = receipt ? live.get(receipt.answer.case) : undefined;
        const asked = receipt && settlement(receipt.answer, now, entries);
        return (
          <li key={entry.id} class={`record ${entry.state}`} data-entry={entry.id}>
            <p class="record-head">
              <StateChip state={entry.state} />
              <strong>
                {entry.kind === "deed" ? `${t(entry.deed.action as Word)} · ${what}` : what || t("draft")}
              </strong>
              <time>
                {at.stamp((entry.kind === "report" && entry.draft.seenAt) || entry.queuedAt || entry.createdAt)}
              </time>
            </p>
            {entry.kind === "deed" && <p class="quiet">{entry.deed.case}</p>}
            {entry.kind === "report" && asked && (
              <Confirm {...{ client, district, onDeed }} report={entry} settlement={asked} />
            )}
            {receipt && <ReceiptCard receipt={receipt} live={latest(now, asked?.given ?? null)} crews={crews} />}
            {entry.photos.length > 0 && <Previews photos={entry.photos} />}
            <Waiting entry={entry} onHurry={onHurry} />
            {entry.state === "rejected" && entry.problem && <Refusal problem={entry.problem} />}
            {(entry.state === "rejected" || entry.state === "draft") && (
              <div class="record-actions">
                <button
                  type="button"
                  class="ghost danger"
                  onClick={() => confirm(t("discardSure")) && onDiscard(entry.id)}
                >
                  {t("discard")}
                </button>
                {entry.kind === "report" && (
                  <button type="button" class="second" onClick={() => onEdit(entry.id)}>
                    {t("edit")}
                  </button>
                )}
              </div>
            )}
          </li>
        );
      })}
    </ul>
  );
}
