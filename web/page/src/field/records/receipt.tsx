/** Who will come: the answer to a report, big enough to be read in the sun. */

import { lang, nameOf } from "../../shared/i18n";
import { travel } from "../../shared/time";
import type { Case, State } from "../../shared/types";
import type { Receipt } from "../outbox/entry";
import { t, type Word } from "../words";

const STATES: Record<State, Word> = {
  assigned: "stateAssigned",
  accepted: "stateAccepted",
  on_scene: "stateOnScene",
  handled: "stateHandled",
  closed: "stateClosed",
  returned: "stateReturned",
};

export function CaseState({ state }: { state: State }) {
  return <span class={`case-state ${state}`}>{t(STATES[state])}</span>;
}

/** `live` is the case as it stands now, where it is known. */
export function ReceiptCard({ receipt, live }: { receipt: Receipt; live: Case | undefined }) {
  const { team, unit, decision } = receipt.answer;
  const why = receipt.why?.[lang()].headline;
  return (
    <div class="receipt">
      <p class="case-number">
        <span>{t("caseNumber")}</span>
        <strong>{receipt.answer.case}</strong>
        <CaseState state={live?.state ?? receipt.answer.state} />
      </p>
      <div class="who">
        <span class="label">{t("responsible")}</span>
        <strong>{nameOf(team)}</strong>
      </div>
      {unit ? (
        <div class="who unit">
          <span class="label">
            {t("comes")} · {t(unit.mode === "boat" ? "byBoat" : "byVehicle")}
          </span>
          <strong>{nameOf(unit)}</strong>
          {unit.eta_s !== null && <span class="eta">{t("minutes", { span: travel(unit.eta_s, lang()) })}</span>}
        </div>
      ) : (
        <p class="notice">{t("noUnit")}</p>
      )}
      {why && (
        <p class="why">
          <span class="label">{t("why")}</span>
          {why}
        </p>
      )}
      {decision.notes.includes("snapped") && <p class="notice">{t("noteSnapped")}</p>}
    </div>
  );
}
