/** Who will come: the answer to a report, big enough to be read in the sun. */

import { lang, nameOf } from "../../shared/i18n";
import { OVER, shownAs, stateName } from "../../shared/states";
import { travel } from "../../shared/time";
import type { Case, State, Team, Unit } from "../../shared/types";
import type { Receipt } from "../outbox/entry";
import { t as sameSays } from "../same/words";
import { t, type Word } from "../words";

const STATES: Partial<Record<State, Word>> = {
  assigned: "stateAssigned",
  accepted: "stateAccepted",
  on_scene: "stateOnScene",
  handled: "stateHandled",
  closed: "stateClosed",
  returned: "stateReturned",
};

export function CaseState({ state }: { state: State }) {
  const word = STATES[state];
  return <span class={`case-state ${shownAs(state)}`}>{word ? t(word) : stateName(state, lang())}</span>;
}

/** The names that the page knows. */
export interface Crews {
  teams: readonly Team[];
  units: readonly Unit[];
}

/** `live` is the case as it stands now, where it is known. */
export function ReceiptCard({ receipt, live, crews }: { receipt: Receipt; live: Case | undefined; crews: Crews }) {
  const { answer } = receipt;
  const { decision } = answer;
  // Joined as it was sent, or merged since.
  const leads = live && live.case !== answer.case ? live.case : answer.joined;
  const passedOn = live !== undefined && (live.case !== answer.case || live.team !== answer.team.code);
  const team = passedOn
    ? (crews.teams.find((one) => one.code === live.team) ?? { name: live.team, name_en: live.team })
    : answer.team;
  const unit = passedOn ? coming(live, crews) : answer.unit;
  const why = passedOn ? undefined : receipt.why?.[lang()].headline;
  return (
    <div class="receipt">
      <p class="case-number">
        <span>{t("caseNumber")}</span>
        <strong>{receipt.answer.case}</strong>
        <CaseState state={live?.state ?? receipt.answer.state} />
      </p>
      {leads && <p class="joined">{sameSays("joined", { case: leads })}</p>}
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
        !(leads && live?.state !== "assigned") && <p class="notice">{t("noUnit")}</p>
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

/** The unit that is on the case now. */
function coming(live: Case, crews: Crews) {
  const unit = crews.units.find((one) => one.code === live.unit);
  return unit ? { ...unit, eta_s: OVER.has(live.state) ? null : live.eta_s } : null;
}
