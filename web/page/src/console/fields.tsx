/** What the steps of a case need beside a note, as fields: a day, another case, whose it is, a unit, a place. */

import { useState } from "preact/hooks";
import { lang, nameOf } from "../shared/i18n";
import { clock, distance } from "../shared/time";
import type { CaseDetail } from "../shared/types";
import type { Desk } from "./desk";
import { TeamOptions } from "./filters";
import { nearest } from "./nearby";
import type { Order } from "./order";
import type { Pin } from "./pin";
import { t } from "./text";
import { w } from "./words";

export interface FieldProps {
  desk: Desk;
  detail: CaseDetail;
  order: Order;
  change: (patch: Partial<Order>) => void;
}

const REASONS = ["not_our_place", "not_our_matter", "not_found", "duplicate", "no_means", "other"] as const;

/** Why a team sends it back, and whose it is. */
export function ReturnFields({ desk, detail, order, change }: FieldProps) {
  const again = detail.history.some((event) => event.action === "return");
  return (
    <>
      {again && (
        <p class="hint warn" role="status">
          {w("returnAgain")}
        </p>
      )}
      <label>
        <span>{w("reason")}</span>
        <select value={order.reason} onChange={(event) => change({ reason: event.currentTarget.value })}>
          <option value="">{w("reason.none")}</option>
          {REASONS.map((reason) => (
            <option key={reason} value={reason}>
              {w(`reason.${reason}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{w("whose")}</span>
        <select value={order.team} onChange={(event) => change({ team: event.currentTarget.value, unit: "" })}>
          <option value="">{w("whose.unknown")}</option>
          <TeamOptions teams={[...desk.store.state.teams.values()]} without={detail.team} />
        </select>
      </label>
    </>
  );
}

/** Which team: of a dispute its sides, alone or first. */
export function TeamField({ desk, detail, order, change }: FieldProps) {
  const { teams } = desk.store.state;
  const sides = sidesOf(detail);
  const stating = order.action === "state_ground";
  const label = stating ? w("side") : order.action === "rule" ? w("ruled") : t("do.team");
  const choose = (code: string): void => {
    // Who states a ground is the side, not the team that has the case now.
    const unnamed = order.actor === desk.nameAs(order.role, order.team || detail.team);
    change({
      team: code,
      unit: "",
      ...(stating && code && unnamed ? { actor: desk.nameAs(order.role, code) } : {}),
    });
  };
  const others = [...teams.values()].filter((team) => !sides.includes(team.code));
  return (
    <label>
      <span>{label}</span>
      <select required value={order.team} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{t("do.chooseTeam")}</option>
        {(stating || order.action === "rule") && (
          <optgroup label={w("sides")}>
            {sides.map((code) => {
              const team = teams.get(code);
              return (
                <option key={code} value={code}>
                  {team ? nameOf(team) : code}
                </option>
              );
            })}
          </optgroup>
        )}
        {!stating && (
          <TeamOptions
            teams={order.action === "rule" ? others : [...teams.values()]}
            {...(detail.state === "returned" || order.action === "rule" ? {} : { without: detail.team })}
          />
        )}
      </select>
    </label>
  );
}

/** Between whom the case is in dispute: as the return says that opened it. */
export function sidesOf(detail: Pick<CaseDetail, "state" | "history">): readonly string[] {
  if (detail.state !== "disputed") return [];
  const opening = [...detail.history].sort((a, b) => b.seq - a.seq).find((event) => event.details.sides);
  return opening?.details.sides ?? [];
}

/** Which unit goes; what is not said, the server finds. */
export function UnitField({ desk, detail, order, change }: FieldProps) {
  const { teams, units } = desk.store.state;
  const team = order.team || detail.team;
  const those = [...units.values()].filter((unit) => unit.team === team);
  if (!teams.has(team) || those.length === 0) return null;
  return (
    <label>
      <span>{w("unit")}</span>
      <select value={order.unit} onChange={(event) => change({ unit: event.currentTarget.value })}>
        <option value="">{w("unit.auto")}</option>
        {those.map((unit) => {
          const busy = unit.case !== null && unit.case !== detail.case;
          const why = busy ? w("unit.busy") : unit.on_shift ? "" : w("unit.off");
          return (
            <option key={unit.code} value={unit.code} disabled={busy}>
              {nameOf(unit) + why}
            </option>
          );
        })}
      </select>
    </label>
  );
}

/** Until which day it waits: today at the earliest. */
export function UntilField({ desk, order, change }: Omit<FieldProps, "detail">) {
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  return (
    <>
      <label>
        <span>{w("until")}</span>
        <input
          type="date"
          required
          min={time.day(desk.store.state.now + 86_400_000)}
          value={order.until}
          onInput={(event) => change({ until: event.currentTarget.value })}
        />
      </label>
      <p class="hint">{w("untilHint")}</p>
    </>
  );
}

const NEAR = 6;

/** The other case: by its number, or one of those that lie nearby. */
export function IntoField({ desk, detail, order, change }: FieldProps) {
  // Once: a list that moves under the finger is chosen from wrongly.
  const [near] = useState(() =>
    nearest(
      [...desk.store.book.all()].map((held) => held.c),
      detail,
      NEAR,
    ),
  );
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  return (
    <>
      <label>
        <span>{w("intoNumber")}</span>
        <input
          type="text"
          inputMode="numeric"
          maxLength={50}
          required
          value={order.into}
          onInput={(event) => change({ into: event.currentTarget.value })}
        />
      </label>
      {near.length === 0 ? (
        <p class="hint">{w("intoNone")}</p>
      ) : (
        <fieldset class="choice near">
          <legend>{w("intoNear")}</legend>
          {near.map(({ c, metres, alike }) => (
            <label key={c.case}>
              <input
                type="radio"
                name="into"
                checked={order.into === c.case}
                onChange={() => change({ into: c.case })}
              />
              <span>
                <b>{nameOf({ name: c.matter_name, name_en: c.matter_name_en })}</b>
                <em>
                  {[
                    c.case,
                    w("intoMetres", { distance: distance(metres, lang()) }),
                    alike ? w("intoAlike") : "",
                    time.stamp(c.received_at),
                  ]
                    .filter(Boolean)
                    .join(" · ")}
                </em>
                {c.text && <em class="said">{c.text}</em>}
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

/** With what coordinates that somebody reads out are taken to be known, in metres. */
const READ_OUT_M = 10;

/** Where the pin stands, in figures too: for coordinates that came by telephone, and for who works without a mouse. */
export function PinLine({ pin, onPin }: { pin: Pin; onPin: (pin: Pin) => void }) {
  const type = (part: { lon?: number; lat?: number }): void => {
    const [value] = Object.values(part);
    if (Number.isFinite(value)) onPin({ ...pin, ...part, accuracy: READ_OUT_M, moved: true });
  };
  return (
    <>
      <p class="pin-line" role="status">
        {pin.moved ? t("do.pinAt", { n: Math.ceil(pin.accuracy) }) : t("do.pin")}
      </p>
      <div class="pin-figures">
        <Degrees label={t("do.lon")} value={pin.lon} onTyped={(lon) => type({ lon })} />
        <Degrees label={t("do.lat")} value={pin.lat} onTyped={(lat) => type({ lat })} />
      </div>
    </>
  );
}

/** What is being typed stands until it is done: the page is drawn anew with every case that comes. */
function Degrees({ label, value, onTyped }: { label: string; value: number; onTyped: (degrees: number) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label>
      <span>{label}</span>
      <input
        type="number"
        step="any"
        value={typed ?? value.toFixed(6)}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => onTyped(event.currentTarget.valueAsNumber)}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}
