/** What may be added and need not: a few words, and how to reach the worker. */

import type { Draft } from "../outbox/entry";
import { t } from "../words";

export function Details({ draft, onChange }: { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  return (
    <div class="details">
      <label>
        {t("text")}
        <textarea
          rows={2}
          maxLength={2000}
          value={draft.text}
          placeholder={t("textHint")}
          onInput={(event) => onChange({ text: event.currentTarget.value })}
        />
      </label>
      <details open={Boolean(draft.name || draft.phone)}>
        <summary>{t("contact")}</summary>
        <div class="grid2">
          <label>
            {t("name")}
            <input
              value={draft.name}
              maxLength={40}
              autocomplete="name"
              onInput={(event) => onChange({ name: event.currentTarget.value })}
            />
          </label>
          <label>
            {t("phone")}
            <input
              type="tel"
              value={draft.phone}
              maxLength={30}
              autocomplete="tel"
              onInput={(event) => onChange({ phone: event.currentTarget.value })}
            />
          </label>
        </div>
      </details>
    </div>
  );
}
