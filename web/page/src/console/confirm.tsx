/** A case whose place is to be confirmed: the teams that could be meant, each a choice for the pin. */

import { lang } from "../shared/i18n";
import { whereOf } from "../shared/outcomes";
import type { CaseDetail, Outcome } from "../shared/types";
import type { Pin } from "./pin";
import { t } from "./text";

/** With what a choice says the place is known, at best: what lies inside one outcome must not meet another again. */
const CHOICE_M = 5;

export function pinOf(one: Outcome): Pin {
  return { lon: one.lon, lat: one.lat, accuracy: Math.min(CHOICE_M, one.clear_m), moved: true };
}

function where(outcome: Outcome, all: readonly Outcome[]): string {
  const { names, ashore } = whereOf(outcome, all);
  return [...(ashore ? [t("confirm.ashore")] : []), ...names].join(" · ") || t("confirm.elsewhere");
}

export function Confirm({ detail, onPin }: { detail: CaseDetail; onPin: (pin: Pin) => void }) {
  const { outcomes, radius_m } = detail.decision;
  const may = detail.actions.some((one) => one.action === "relocate");
  if (!may || outcomes.length === 0 || !detail.notes.includes("confirm_place")) return null;
  return (
    <section class="confirm" aria-label={t("confirm.title")}>
      <h3>{t("confirm.title")}</h3>
      <p class="sub">{t("confirm.why", { n: Math.round(radius_m ?? detail.accuracy_m) })}</p>
      <ul>
        {outcomes.map((one) => (
          <li key={one.team}>
            <b>{Math.round(one.share * 100)}%</b>
            <span>
              {lang() === "zh" ? one.team_name : one.team_name_en}
              <em>{where(one, outcomes)}</em>
            </span>
            <button type="button" onClick={() => onPin(pinOf(one))}>
              {t("confirm.here")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
