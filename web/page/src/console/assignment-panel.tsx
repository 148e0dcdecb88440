/** The plan for all who wait: who goes where, what that gains against one by one, and what is accepted of it. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { lang, nameOf } from "../shared/i18n";
import { span, travel } from "../shared/time";
import type { Plan, Planned, PlanPair, PlanTally } from "../shared/types";
import { uuid } from "../shared/uuid";
import { type Fate, fateOf, fates, gainOf, linesOf, MANY, short } from "./assignment";
import { hindered, say } from "./assignment-text";
import type { Desk } from "./desk";
import { CaseSign, UnitSign } from "./icons";
import { outcomeOf, said } from "./order";
import { t } from "./text";

/** In the bar, while several wait. */
export function AssignAll({ desk }: { desk: Desk }) {
  const { counters, assigning, seat } = desk.store.state;
  const n = counters?.waiting ?? 0;
  if ((n < MANY || seat.role !== "dispatcher") && !assigning) return null;
  return (
    <button
      type="button"
      class="assign-all"
      aria-pressed={assigning}
      title={say("open.hint", { n })}
      onClick={() => desk.store.set({ assigning: !assigning })}
    >
      <CaseSign look="waiting" size={14} />
      <span class="long">{say("open", { n })}</span>
      <span class="short">{say("open.short", { n })}</span>
    </button>
  );
}

interface Solved {
  plan: Plan;
  /** The same acceptance is sent again where no answer came. */
  id: string;
}

const NOTHING: ReadonlyMap<string, Fate> = new Map();

export function Assignment({ desk }: { desk: Desk }) {
  const [solved, setSolved] = useState<Solved | null>(null);
  const [failed, setFailed] = useState("");
  const [leftOut, setLeftOut] = useState<ReadonlySet<string>>(new Set());
  const [answers, setAnswers] = useState<ReadonlyMap<string, Fate>>(NOTHING);
  const [sending, setSending] = useState(false);
  const [notice, setNotice] = useState<{ tone: "done" | "problem"; text: () => string } | null>(null);
  const [pointed, setPointed] = useState("");
  const asked = useRef(0);
  const { open, counters, units } = desk.store.state;

  const solve = useCallback(async () => {
    asked.current += 1;
    const mine = asked.current;
    setFailed("");
    setSolved(null);
    setLeftOut(new Set());
    setAnswers(NOTHING);
    setNotice(null);
    try {
      const plan = await desk.client.assignment();
      if (mine === asked.current) setSolved({ plan, id: uuid() });
    } catch (error) {
      if (mine === asked.current) setFailed(said(error));
    }
  }, [desk]);
  useEffect(() => void solve(), [solve]);

  const fate = (pair: PlanPair): Fate => fateOf(pair, desk.store.book.get(pair.case)?.c.seq, answers);
  const isChosen = (pair: PlanPair): boolean => fate(pair).kind === "open" && !leftOut.has(pair.case);
  const acceptable = solved?.plan.pairs.filter((pair) => fate(pair).kind === "open") ?? [];
  const chosen = acceptable.filter(isChosen);
  const drawn = solved?.plan.pairs.filter((pair) => ["open", "done"].includes(fate(pair).kind)) ?? [];
  const key = drawn.map((pair) => `${pair.case}${isChosen(pair)}`).join();
  useEffect(() => {
    desk.map?.over.showPairs(linesOf(drawn, (pair) => isChosen(pair) || fate(pair).kind === "done", pointed));
  }, [key, pointed, desk.map]);
  useEffect(() => () => desk.map?.over.showPairs([]), [desk]);
  useEffect(() => {
    if (solved) desk.map?.frame([...solved.plan.pairs.flatMap((pair) => [pair, pair.from]), ...solved.plan.left]);
  }, [solved, desk.map]);

  const accept = async (): Promise<void> => {
    if (!solved || sending || chosen.length === 0) return;
    setSending(true);
    const pairs = chosen.map(({ case: id, unit, seq }) => ({ case: id, unit, seq }));
    try {
      const answer = await desk.client.accept({
        id: solved.id,
        token: solved.plan.token,
        pairs,
        actor: desk.nameAs("dispatcher", ""),
      });
      setAnswers(new Map([...answers, ...fates(answer)]));
      const { done, refused } = answer;
      const text = (): string => say(refused ? "result.part" : "result", { done, refused });
      setNotice({ tone: refused ? "problem" : "done", text });
    } catch (error) {
      const outcome = outcomeOf(error);
      const text = (): string =>
        outcome.kind === "refused" || outcome.kind === "conflict"
          ? t("do.failed", { detail: outcome.detail })
          : t("do.unsure");
      setNotice({ tone: "problem", text });
    }
    setSending(false);
  };

  const nameUnit = (code: string): string => {
    const unit = units.get(code);
    return unit ? nameOf(unit) : code;
  };
  const plan = solved?.plan;
  // What this page itself accepted is no surprise.
  const sent = [...answers.values()].filter(({ kind }) => kind === "done").length;
  const changed = plan && counters ? counters.waiting !== plan.waiting - sent : false;
  return (
    <aside class="panel assignment" hidden={open !== null} aria-label={say("title")}>
      <button
        type="button"
        class="plain shut"
        aria-label={say("close")}
        title={say("close")}
        onClick={() => desk.store.set({ assigning: false })}
      >
        ✕
      </button>
      <header class="headline waiting">
        <h2>{say("title")}</h2>
        {plan && <Gained plan={plan} />}
      </header>
      {failed && (
        <div class="problem" role="alert">
          <p>{say("failed", { detail: failed })}</p>
          <button type="button" onClick={() => void solve()}>
            {t("retry")}
          </button>
        </div>
      )}
      {!plan && !failed && (
        <p class="quiet" role="status">
          {say("working")}
        </p>
      )}
      {plan && (
        <>
          <section class="accept">
            <div class="buttons">
              <button
                type="button"
                class="primary"
                disabled={sending || chosen.length === 0}
                onClick={() => void accept()}
              >
                {sending ? say("sending") : say("accept", { n: chosen.length })}
              </button>
              <button type="button" disabled={sending} onClick={() => void solve()}>
                {say("again")}
              </button>
              {acceptable.length > 1 && (
                <label>
                  <input
                    type="checkbox"
                    checked={chosen.length === acceptable.length}
                    onChange={({ currentTarget: { checked } }) =>
                      setLeftOut(new Set(checked ? [] : acceptable.map((pair) => pair.case)))
                    }
                  />
                  {say("all")}
                </label>
              )}
            </div>
            {changed && !sending && <p class="quiet">{say("stale")}</p>}
            {notice && (
              <p class={`notice ${notice.tone}`} role="status">
                {notice.text()}
              </p>
            )}
          </section>
          <section>
            <h3>{say("pairs", { n: plan.pairs.length })}</h3>
            {plan.waiting > plan.planned && (
              <p class="quiet">{say("beyond", { all: plan.waiting, n: plan.planned })}</p>
            )}
            {plan.pairs.length === 0 && <p class="quiet">{say(plan.waiting === 0 ? "nobody" : "none")}</p>}
            <ul class="pairs">
              {plan.pairs.map((pair) => (
                <PairRow
                  key={pair.case}
                  pair={pair}
                  fate={fate(pair)}
                  chosen={isChosen(pair)}
                  nameUnit={nameUnit}
                  point={setPointed}
                  choose={(on) => {
                    const next = new Set(leftOut);
                    if (on) next.delete(pair.case);
                    else next.add(pair.case);
                    setLeftOut(next);
                  }}
                  show={() => desk.openCase(pair.case)}
                />
              ))}
            </ul>
            {plan.pairs.length > 0 && <p class="quiet small">{say("straight")}</p>}
          </section>
          {plan.left.length > 0 && (
            <section>
              <h3>{say("left", { n: plan.left.length })}</h3>
              <ul class="pairs">
                {plan.left.map((one) => (
                  <li key={one.case}>
                    <CaseLine one={one} show={() => desk.openCase(one.case)} />
                    <p class="why-line">{because(one, nameUnit)}</p>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </>
      )}
    </aside>
  );
}

interface PairRowProps {
  pair: PlanPair;
  fate: Fate;
  chosen: boolean;
  nameUnit: (code: string) => string;
  point: (id: string) => void;
  choose: (on: boolean) => void;
  show: () => void;
}

function PairRow({ pair, fate, chosen, nameUnit, point, choose, show }: PairRowProps) {
  const unit = nameOf({ name: pair.unit_name, name_en: pair.unit_name_en });
  const { one_by_one: single } = pair;
  return (
    <li
      class={fate.kind}
      onMouseEnter={() => point(pair.case)}
      onMouseLeave={() => point("")}
      onFocusCapture={() => point(pair.case)}
      onBlurCapture={() => point("")}
    >
      <input
        type="checkbox"
        checked={chosen}
        disabled={fate.kind !== "open"}
        aria-label={say("choose", { matter: matterOf(pair), unit })}
        onChange={(event) => choose(event.currentTarget.checked)}
      />
      <div>
        <CaseLine one={pair} show={show} />
        <p class="unit-line">
          <UnitSign mode={pair.mode} busy={false} size={16} />
          <strong>{unit}</strong>
          <span class="eta">{say("eta", { time: travel(pair.eta_s, lang()) })}</span>
        </p>
        <p class="why-line">
          {because(pair, nameUnit)}
          {single?.unit !== pair.unit && (
            <span class="instead">
              {single
                ? say("instead.other", { unit: nameUnit(single.unit), time: travel(single.eta_s, lang()) })
                : say("instead.none")}
            </span>
          )}
        </p>
        {fate.kind !== "open" && (
          <p class={`fate ${fate.kind}`} role="status">
            {fate.kind === "refused" ? say("fate.refused", { detail: fate.detail }) : say(`fate.${fate.kind}`)}
          </p>
        )}
      </div>
    </li>
  );
}

function CaseLine({ one, show }: { one: Planned; show: () => void }) {
  return (
    <p class="case-line">
      <span class={`urgency u${one.urgency}`}>{urgencyOf(String(one.urgency))}</span>
      <button type="button" class="inline" onClick={show}>
        {matterOf(one)} …{short(one.case)}
      </button>
      <span class="waited">{say("waited", { span: span(one.waited_s * 1000, lang()) })}</span>
    </p>
  );
}

function urgencyOf(level: string): string {
  return level === "1" || level === "2" || level === "3" ? t(`urgency.${level}`) : level;
}

function matterOf(one: Planned): string {
  return nameOf({ name: one.matter_name, name_en: one.matter_name_en });
}

function because({ why }: Planned, nameUnit: (code: string) => string): string {
  if (why.code === "no_unit") {
    const found = Object.entries(why.hindered).map(([code, n]) => hindered(code, n));
    const join = lang() === "zh" ? "、" : ", ";
    return found.length > 0 ? say("why.no_unit", { hindered: found.join(join) }) : say("why.no_unit.none");
  }
  return say(`why.${why.code}`, {
    unit: why.unit ? nameUnit(why.unit) : "",
    time: travel(why.eta_s ?? 0, lang()),
    case: short(why.case ?? ""),
  });
}

function Gained({ plan }: { plan: Plan }) {
  const gain = gainOf(plan);
  const time = (seconds: number): string => span(seconds * 1000, lang());
  const n = plan.gain.all_at_once.served;
  const words = (): string => {
    switch (gain.kind) {
      case "as_good":
        return say("gain.as_good");
      case "served":
        return say(gain.more > 0 ? "gain.served.more" : "gain.served.fewer", {
          n: Math.abs(gain.more),
          mean: time(gain.mean),
          before: time(gain.before),
        });
      case "sooner":
        return say("gain.sooner", { n, saved: time(gain.saved), before: time(gain.before), total: time(gain.total) });
      case "weighed":
        return gain.longer >= 60
          ? say("gain.weighed", { n, longer: time(gain.longer) })
          : say("gain.weighedSame", { n });
    }
  };
  const { all_at_once: all, one_by_one: single } = plan.gain;
  const rows: [string, PlanTally, PlanTally | undefined][] = [
    ...Object.entries(all.by_urgency).map(([level, tally]): [string, PlanTally, PlanTally | undefined] => [
      urgencyOf(level),
      tally,
      single.by_urgency[level],
    ]),
    [say("table.all"), all, single],
  ];
  return (
    <>
      <p class={`gain ${gain.kind}`}>{words()}</p>
      {plan.planned > 0 && (
        <table>
          <thead>
            <tr>
              {(["urgency", "cases", "served", "median"] as const).map((name) => (
                <th key={name} scope="col">
                  {say(`table.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, ours, theirs]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{ours.cases}</td>
                <Held ours={String(ours.served)} theirs={String(theirs?.served ?? "")} />
                <Held ours={way(ours)} theirs={theirs ? way(theirs) : ""} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function way({ median_s }: PlanTally): string {
  return median_s === null ? "—" : travel(median_s, lang());
}

/** Ours, and where it is another, what it would be one by one. */
function Held({ ours, theirs }: { ours: string; theirs: string }) {
  return (
    <td>
      {ours}
      {theirs !== ours && <small> {say("table.one", { x: theirs })}</small>}
    </td>
  );
}
