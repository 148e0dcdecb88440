/** A case whose place is to be confirmed: the teams that could be meant, each a choice. */

import { lang } from "../shared/i18n";
import { whereOf } from "../shared/outcomes";
import type { CaseDetail, Outcome } from "../shared/types";
import { t } from "./text";

function where(outcome: Outcome, all: readonly Outcome[]): string {
  const { names, ashore } = whereOf(outcome, all);
  return [...(ashore ? [t("confirm.ashore")] : []), ...names].join(" · ") || t("confirm.elsewhere");
}

export function Confirm({ detail, onChoice }: { detail: CaseDetail; onChoice: (one: Outcome) => void }) {
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
            <button type="button" onClick={() => onChoice(one)}>
              {t("confirm.here")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
