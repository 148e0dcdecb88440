/** Where exactly was it? Every team that could be meant, on the map with the circle; one tap settles it. */

import type { Client } from "../../shared/client";
import { lang } from "../../shared/i18n";
import { whereOf } from "../../shared/outcomes";
import type { District, Outcome } from "../../shared/types";
import { uuid } from "../../shared/uuid";
import { type DeedEntry, deedOf, type ReportEntry } from "../outbox/entry";
import { type LonLat, onMap } from "../position/place";
import { PlaceMap } from "../position/place-map";
import { Refusal } from "../records/status";
import { t } from "../words";
import { chosen, isAsked, type Settlement, settling } from "./settlement";

export interface ConfirmProps {
  client: Client;
  district: District | null;
  report: ReportEntry;
  settlement: Settlement;
  onDeed: (deed: DeedEntry) => void;
}

function where(outcome: Outcome, all: readonly Outcome[]): string {
  const { names, ashore } = whereOf(outcome, all);
  return [...(ashore ? [t("confirmAshore")] : []), ...names].join(" · ") || t("confirmElsewhere");
}

const named = (outcome: Outcome): string => (lang() === "zh" ? outcome.team_name : outcome.team_name_en);

export function Confirm({ client, district, report, settlement, onDeed }: ConfirmProps) {
  const { receipt, draft } = report;
  const { place } = draft;
  if (!receipt) return null;
  const { given, outcomes } = settlement;
  if (given && !isAsked(settlement)) {
    const one = chosen(settlement);
    const told = given.state === "delivered" ? "confirmDone" : "confirmWaiting";
    return (
      <p class="confirmed" role="status">
        {t(told, { team: one ? named(one) : "" })}
      </p>
    );
  }
  const settle = (outcome: Outcome): void =>
    onDeed(deedOf(uuid(), settling(receipt.answer, outcome, t("reporter"), draft.matter), [], Date.now()));
  const marks = outcomes.map((one): LonLat => [one.lon, one.lat]);
  return (
    <section class="confirm" aria-label={t("confirmTitle")}>
      <h2>{t("confirmTitle")}</h2>
      <p class="quiet">{t("confirmWhy", { m: Math.round(place?.accuracy ?? 0) })}</p>
      {district && place && (
        <PlaceMap
          {...{ client, district, marks }}
          place={{ ...place, lon: onMap(place)[0], lat: onMap(place)[1], datum: "wgs84" }}
          onMark={(i) => outcomes[i] && settle(outcomes[i])}
        />
      )}
      {given?.problem && <Refusal problem={given.problem} />}
      <div class="confirm-choices">
        {outcomes.map((one, i) => (
          <button key={one.team} type="button" class="second" data-team={one.team} onClick={() => settle(one)}>
            <i aria-hidden="true">{i + 1}</i>
            <span>
              <strong>{where(one, outcomes)}</strong>
              {named(one)}
            </span>
            <b>{Math.round(one.share * 100)}%</b>
          </button>
        ))}
      </div>
    </section>
  );
}
