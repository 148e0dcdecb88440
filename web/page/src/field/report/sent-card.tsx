/** After sending: safe on the phone, on its way, or who comes. */

import { nameOf } from "../../shared/i18n";
import type { Case, Matters } from "../../shared/types";
import type { ReportEntry } from "../outbox/entry";
import { ReceiptCard } from "../records/receipt";
import { Refusal, StateChip, Waiting } from "../records/status";
import { t } from "../words";

export interface SentCardProps {
  sent: ReportEntry;
  live: Case | undefined;
  matters: Matters | null;
  onAgain: () => void;
  onEdit: (id: string) => void;
  onHurry: () => void;
}

export function SentCard({ sent, live, matters, onAgain, onEdit, onHurry }: SentCardProps) {
  const known = [...(matters?.items ?? []), ...(matters?.classes ?? [])].find((m) => m.code === sent.draft.matter);
  return (
    <div class="report sent">
      <section class={`sent-card ${sent.state}`} aria-live="polite">
        <p class="sent-head">
          <StateChip state={sent.state} />
          <strong>{known ? nameOf(known) : sent.draft.matter}</strong>
        </p>
        {sent.receipt && <ReceiptCard receipt={sent.receipt} live={live} />}
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
