/** What a step of the enforcement procedure needs, as fields: each shown only where the step's row names it. */

import { useState } from "preact/hooks";
import type { Officer, Papers, Power } from "../shared/casework";
import type { CaseDetail, Need } from "../shared/types";
import type { Desk } from "./desk";
import { isAmount, LEAST_OFFICERS, type Order } from "./order";
import { PowerPick } from "./power-pick";
import { w } from "./words";

const WAYS = ["direct", "left", "post", "entrusted", "electronic", "announced", "on_the_spot"] as const;
const VERDICTS = ["pass", "major", "back"] as const;

interface PapersProps {
  desk: Desk;
  detail: CaseDetail;
  order: Order;
  needs: readonly Need[];
  onPapers: (patch: Papers) => void;
}

export function PapersFields({ desk, detail, order, needs, onPapers }: PapersProps) {
  const { papers } = order;
  const has = (need: Need): boolean => needs.includes(need);
  return (
    <>
      {has("officers") && (
        <Officers officers={papers.officers ?? []} onOfficers={(officers) => onPapers({ officers })} />
      )}
      {has("verdict") && (
        <fieldset class="choice">
          <legend>{w("verdict")}</legend>
          {VERDICTS.map((verdict) => (
            <label key={verdict}>
              <input
                type="radio"
                name="verdict"
                checked={papers.verdict === verdict}
                onChange={() => onPapers({ verdict })}
              />
              {w(`verdict.${verdict}`)}
            </label>
          ))}
        </fieldset>
      )}
      {has("minutes") && (
        <label>
          <span>{w("minutes")}</span>
          <textarea
            rows={5}
            maxLength={20_000}
            required
            value={papers.minutes ?? ""}
            onInput={(event) => onPapers({ minutes: event.currentTarget.value })}
          />
        </label>
      )}
      {has("power") && (
        <Penalty {...{ desk, papers, onPapers }} first={detail.matter_name} onTheSpot={order.action === "penalise"} />
      )}
      {has("way") && (
        <label>
          <span>{w("way")}</span>
          <select required value={papers.way ?? ""} onChange={(event) => onPapers({ way: event.currentTarget.value })}>
            <option value="">{w("reason.none")}</option>
            {WAYS.map((way) => (
              <option key={way} value={way}>
                {w(`way.${way}`)}
              </option>
            ))}
          </select>
        </label>
      )}
      {has("served_on") && (
        <label>
          <span>{w("servedOn")}</span>
          <input
            type="date"
            required
            value={papers.served_on ?? ""}
            onInput={(event) => onPapers({ served_on: event.currentTarget.value })}
          />
        </label>
      )}
      {has("to") && (
        <label>
          <span>{w("to")}</span>
          <select required value={papers.to ?? ""} onChange={(event) => onPapers({ to: event.currentTarget.value })}>
            <option value="">{w("to.choose")}</option>
            <option value="police">{w("to.police")}</option>
            {departments(desk).map(([code, name]) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {has("receipt") && (
        <label>
          <span>{w("receipt")}</span>
          <input
            type="text"
            required
            maxLength={200}
            value={papers.receipt ?? ""}
            onInput={(event) => onPapers({ receipt: event.currentTarget.value })}
          />
        </label>
      )}
    </>
  );
}

/** Departments by code, as the matters name them. */
export function departments(desk: Desk): [string, string][] {
  const names = (desk.store.state.matters?.items ?? []).map((one) => [one.department, one.department_name] as const);
  return [...new Map(names)].sort(([a], [b]) => (a < b ? -1 : 1));
}

const NOBODY: Officer = { number: "", name: "" };
const MOST_OFFICERS = 20;

function Officers({ officers, onOfficers }: { officers: readonly Officer[]; onOfficers: (all: Officer[]) => void }) {
  const all = [...officers];
  while (all.length < LEAST_OFFICERS) all.push(NOBODY);
  const put = (place: number, patch: Partial<Officer>): void =>
    onOfficers(all.map((one, i) => (i === place ? { ...one, ...patch } : one)));
  return (
    <fieldset class="officers">
      <legend>{w("officers")}</legend>
      {all.map((one, i) => (
        <fieldset key={i} aria-label={w("officerN", { n: i + 1 })}>
          <input
            type="text"
            maxLength={50}
            aria-label={w("officerNumber")}
            placeholder={w("officerNumber")}
            value={one.number}
            onInput={(event) => put(i, { number: event.currentTarget.value })}
          />
          <input
            type="text"
            maxLength={50}
            aria-label={w("officerName")}
            placeholder={w("officerName")}
            value={one.name}
            onInput={(event) => put(i, { name: event.currentTarget.value })}
          />
          {i >= LEAST_OFFICERS && (
            <button
              type="button"
              class="plain"
              aria-label={w("officerRemove", { n: i + 1 })}
              onClick={() => onOfficers(all.filter((_, place) => place !== i))}
            >
              ✕
            </button>
          )}
        </fieldset>
      ))}
      {all.length < MOST_OFFICERS && (
        <button type="button" onClick={() => onOfficers([...all, NOBODY])}>
          {w("officerAdd")}
        </button>
      )}
    </fieldset>
  );
}

interface PenaltyProps {
  desk: Desk;
  papers: Papers;
  first: string;
  onTheSpot: boolean;
  onPapers: (patch: Papers) => void;
}

/** The power, the tier of discretion with its range, and the amount. */
function Penalty({ desk, papers, first, onTheSpot, onPapers }: PenaltyProps) {
  const [power, setPower] = useState<Power | null>(null);
  const choose = (one: Power | null): void => {
    setPower(one);
    const only = one?.tiers.length === 1 ? one.tiers[0]?.circumstances : "";
    onPapers({ power: one?.code ?? "", tier: only ?? "" });
  };
  const bad = Boolean(papers.amount) && !isAmount(papers.amount ?? "");
  const tier = power?.tiers.find((one) => one.circumstances === papers.tier);
  return (
    <>
      <div class="field">
        <span>{w("power")}</span>
        <PowerPick desk={desk} first={first} chosen={power} onChoose={choose} />
      </div>
      {power && onTheSpot && power.procedure !== "summary" && (
        <p class="hint warn" role="alert">
          {w("powerGeneral")}
        </p>
      )}
      {power && power.tiers.length > 0 && (
        <label>
          <span>{w("tier")}</span>
          <select
            required
            value={papers.tier ?? ""}
            onChange={(event) => onPapers({ tier: event.currentTarget.value })}
          >
            <option value="">{w("tierChoose")}</option>
            {power.tiers.map(({ circumstances, range }) => (
              <option key={circumstances} value={circumstances}>
                {`${circumstances} → ${range}`}
              </option>
            ))}
          </select>
        </label>
      )}
      {power?.tiers.length === 0 && (
        <label>
          <span>{w("tierFree")}</span>
          <input
            type="text"
            required
            maxLength={200}
            value={papers.tier ?? ""}
            onInput={(event) => onPapers({ tier: event.currentTarget.value })}
          />
        </label>
      )}
      {tier && <p class="hint">{w("range", { range: tier.range })}</p>}
      <label>
        <span>{w("amount")}</span>
        <input
          type="text"
          inputMode="decimal"
          required
          maxLength={15}
          placeholder={w("amountHint")}
          aria-invalid={bad}
          value={papers.amount ?? ""}
          onInput={(event) => onPapers({ amount: event.currentTarget.value.trim() })}
        />
      </label>
      {bad && (
        <p class="hint warn" role="status">
          {w("amountBad")}
        </p>
      )}
    </>
  );
}
