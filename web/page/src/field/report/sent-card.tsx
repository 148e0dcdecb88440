/** After sending: safe on the phone, on its way, or who comes. */

import type { Client } from "../../shared/client";
import { nameOf } from "../../shared/i18n";
import type { Case, District, Matters } from "../../shared/types";
import { Confirm } from "../confirm/confirm";
import { latest, settlement } from "../confirm/settlement";
import type { DeedEntry, Entry, ReportEntry } from "../outbox/entry";
import { type Crews, ReceiptCard } from "../records/receipt";
import { Refusal, StateChip, Waiting } from "../records/status";
import { t } from "../words";

export interface SentCardProps {
  client: Client;
  district: District | null;
  sent: ReportEntry;
  /** All that this phone holds: answers to what is asked here are among them. */
  entries: readonly Entry[];
  crews: Crews;
  live: Case | undefined;
  matters: Matters | null;
  onAgain: () => void;
  onEdit: (id: string) => void;
  onHurry: () => void;
  onDeed: (deed: DeedEntry) => void;
}

export function SentCard(props: SentCardProps) {
  const { client, district, sent, entries, crews, live, matters, onAgain, onEdit, onHurry, onDeed } = props;
  const asked = sent.receipt && settlement(sent.receipt.answer, live, entries);
  const known = [...(matters?.items ?? []), ...(matters?.classes ?? [])].find((m) => m.code === sent.draft.matter);
  return (
    <div class="report sent">
      <section class={`sent-card ${sent.state}`} aria-live="polite">
        <p class="sent-head">
          <StateChip state={sent.state} />
          <strong>{known ? nameOf(known) : sent.draft.matter}</strong>
        </p>
        {asked && <Confirm {...{ client, district, onDeed }} report={sent} settlement={asked} />}
        {sent.receipt && <ReceiptCard receipt={sent.receipt} live={latest(live, asked?.given ?? null)} crews={crews} />}
        {(sent.state === "waiting" || sent.state === "sending") && (
          <>
            <p class="saved">{t("savedOnPhone")}</p>
            <p>{t("savedLong")}</p>
            <Waiting entry={sent} onHurry={onHurry} />
          </>
        )}
        {sent.state === "rejected" && sent.problem && <Refusal problem={sent.problem} />}
      </section>
      <footer class="actions">
        <button type="button" class={sent.state === "rejected" ? "second" : "primary"} onClick={onAgain}>
          {t("again")}
        </button>
        {sent.state === "rejected" && (
          <button type="button" class="primary" onClick={() => onEdit(sent.id)}>
            {t("edit")}
          </button>
        )}
      </footer>
    </div>
  );
}
