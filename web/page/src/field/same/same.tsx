/** What is open already near a report that is about to be sent, and the two ways on: the same, or another. */

import type { Duplicate } from "../../shared/duplicates";
import { lang, nameOf } from "../../shared/i18n";
import { stateName } from "../../shared/states";
import { distance, span } from "../../shared/time";
import { t } from "./words";

export interface SameProps {
  offered: readonly Duplicate[];
  onSame: (one: Duplicate) => void;
  onAnother: () => void;
  onBack: () => void;
}

/** More than that nobody compares on a phone. */
const MOST = 3;

export function Same({ offered, onSame, onAnother, onBack }: SameProps) {
  return (
    <section class="same" role="alertdialog" aria-label={t("already")}>
      <h2>{t("already")}</h2>
      <p class="quiet">{t("hint")}</p>
      <ul>
        {offered.slice(0, MOST).map((one) => (
          <li key={one.case} data-case={one.case}>
            <p>
              <strong>{nameOf({ name: one.matter_name, name_en: one.matter_name_en })}</strong>
              <span class="case-state">{stateName(one.state, lang())}</span>
            </p>
            <p>
              {t("away", { d: distance(one.distance_m, lang()) })} ·{" "}
              {t("before", { span: span(Date.now() - Date.parse(one.seen_at), lang()) })}
            </p>
            {one.said && <p class="said-then">{one.said}</p>}
            <p class="quiet">{lang() === "zh" ? one.zh : one.en}</p>
            <button type="button" class="primary join" onClick={() => onSame(one)}>
              {t("same")}
            </button>
          </li>
        ))}
      </ul>
      <footer class="actions">
        <button type="button" class="ghost" onClick={onBack}>
          {t("back")}
        </button>
        <button type="button" class="second another" onClick={onAnother}>
          {t("another")}
        </button>
      </footer>
    </section>
  );
}
