/** The queue: what presses most on top, drawn only where it is looked at. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { lang, nameOf } from "../shared/i18n";
import { shownAs } from "../shared/states";
import { clock, span } from "../shared/time";
import { flags, type Row } from "./attention";
import { BulkBar } from "./bulk-bar";
import type { Desk } from "./desk";
import { ALL, chosen } from "./filter";
import { Filters } from "./filters";
import { CaseSign } from "./icons";
import type { State } from "./state";
import { t } from "./text";
import { rowsInView, scrollTo } from "./virtual";
import { w } from "./words";

const ROW = 60;

export function Queue({ desk }: { desk: Desk }) {
  const { state } = desk.store;
  const { rows, cursor, loading, chosen: several } = state;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  const at = rows.findIndex((row) => row.held.c.case === cursor);
  // Follow the cursor when it moves, not when the list moves under it.
  useEffect(() => {
    const element = box.current;
    if (element && at >= 0) element.scrollTop = scrollTo(at, ROW, element.scrollTop, element.clientHeight);
  }, [cursor]);

  const { first, end } = rowsInView(rows.length, ROW, view.top, view.height);
  const drawn = at >= first && at < end;
  const newest = state.filter.sort === "newest";
  return (
    <section class="queue" aria-label={t("queue")}>
      <Filters desk={desk} />
      <div class="queue-head">
        <h2>{t(`count.${state.filter.show}`)}</h2>
        <span class="n">
          {chosen(state.filter) > 0 && state.counters
            ? t("casesOf", { n: rows.length, all: state.counters[state.filter.show] })
            : t("cases", { n: rows.length })}
        </span>
        {state.filter.show === "disputed" && (
          <button type="button" class="arrived" onClick={() => desk.store.set({ disputes: true })}>
            {w("disputes.list")}
          </button>
        )}
        {state.fresh.size > 0 && !newest && (
          <button type="button" class="arrived" onClick={() => desk.setFilter({ sort: "newest" })}>
            {t("arrived", { n: state.fresh.size })}
          </button>
        )}
        <button
          type="button"
          class="plain several"
          aria-pressed={several !== null}
          onClick={() => desk.chooseSeveral(several === null)}
        >
          {w("bulk.start")}
        </button>
        <button
          type="button"
          class="plain sort"
          aria-label={`${t("sort")}: ${t(`sort.${state.filter.sort}`)}`}
          onClick={() => desk.setFilter({ sort: newest ? "attention" : "newest" })}
        >
          {t(`sort.${state.filter.sort}`)}
          <span aria-hidden="true"> ⇅</span>
        </button>
      </div>
      <div
        id="queue"
        ref={box}
        class="rows"
        role="listbox"
        tabIndex={0}
        aria-label={t("queue")}
        {...(several ? { "aria-multiselectable": true } : {})}
        aria-busy={loading.kind !== "ready"}
        {...(drawn ? { "aria-activedescendant": `row-${cursor}` } : {})}
      >
        {rows.length > 0 ? (
          <div style={{ height: `${rows.length * ROW}px`, position: "relative" }}>
            {rows.slice(first, end).map((row, i) => (
              <QueueRow
                key={row.held.c.case}
                row={row}
                state={state}
                place={first + i}
                of={rows.length}
                open={() => (several ? desk.choose(row.held.c.case) : desk.openCase(row.held.c.case))}
              />
            ))}
          </div>
        ) : (
          <Empty desk={desk} />
        )}
      </div>
      {several && <BulkBar desk={desk} />}
    </section>
  );
}

function Empty({ desk }: { desk: Desk }) {
  const { loading, filter } = desk.store.state;
  if (loading.kind === "district" || loading.kind === "cases") {
    return (
      <div class="empty" role="status">
        {loading.kind === "cases" ? t("loadingCases", { n: loading.read }) : t("loading")}
        <div class="bones" aria-hidden="true">
          <i />
          <i />
          <i />
          <i />
        </div>
      </div>
    );
  }
  const filtered = chosen(filter) > 0 || filter.show !== "open";
  return (
    <div class="empty">
      <p>{t(filtered ? "emptyFilter" : "emptyNone")}</p>
      {filtered && (
        <button type="button" onClick={() => desk.setFilter(ALL)}>
          {t("clear")}
        </button>
      )}
    </div>
  );
}

interface RowProps {
  row: Row;
  state: State;
  place: number;
  of: number;
  open: () => void;
}

function QueueRow({ row, state, place, of, open }: RowProps) {
  const { held, look } = row;
  const { c } = held;
  const team = state.teams.get(c.team);
  const unit = c.unit ? state.units.get(c.unit) : undefined;
  const township = c.township ? state.places.get("township")?.get(c.township) : undefined;
  const time = clock(state.district?.timezone ?? "Asia/Shanghai");
  const isOpen = state.open?.id === c.case;
  const isChosen = state.chosen?.has(c.case) ?? false;
  const { unsure, warned } = flags(held, state.now, Number.POSITIVE_INFINITY);
  const names = [
    "row",
    look,
    state.cursor === c.case ? "at" : "",
    isOpen ? "is-open" : "",
    isChosen ? "chosen" : "",
    (state.fresh.get(c.case) ?? 0) > state.now ? "fresh" : "",
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the desk act on the list's active row
    <div
      id={`row-${c.case}`}
      class={names.filter(Boolean).join(" ")}
      role="option"
      tabIndex={-1}
      aria-selected={state.chosen ? isChosen : isOpen}
      aria-setsize={of}
      aria-posinset={place + 1}
      style={{ top: `${place * ROW}px`, height: `${ROW}px` }}
      onClick={open}
    >
      {state.chosen ? (
        <span class="tick" aria-hidden="true">
          {isChosen ? "✓" : ""}
        </span>
      ) : (
        <CaseSign look={look} size={26} />
      )}
      <div class="what">
        <div class="matter">
          {c.urgency === 1 && <span class="urgent">{t("urgency.1")}</span>}
          {warned && <span class="warned">{t("look.warned")}</span>}
          {c.level > 0 && <span class="level">{t("level", { n: c.level })}</span>}
          {unsure && <span class="unsure">{t("confirm.chip")}</span>}
          <span class="text">{nameOf({ name: c.matter_name, name_en: c.matter_name_en })}</span>
        </div>
        <div class="who">
          {township && <span>{nameOf(township)}</span>}
          <span class="team">{team ? nameOf(team) : c.team}</span>
          {unit && <span class="unit">{team ? withoutTeam(nameOf(unit), nameOf(team)) : nameOf(unit)}</span>}
        </div>
      </div>
      <div class="when">
        <span class="state">{t(look === shownAs(c.state) ? `state.${c.state}` : `look.${look}`)}</span>
        <span class="clock">{timeOf(row, state.now, time.time(c.received_at))}</span>
      </div>
    </div>
  );
}

/** A unit's name where its team's stands before it already: `1号车` for `某某大队1号车`. */
function withoutTeam(unit: string, team: string): string {
  return unit.startsWith(team) && unit.length > team.length ? unit.slice(team.length).trim() : unit;
}

/** The one time that matters for how a case looks: how late, how long waiting, how much is left, or when it came. */
function timeOf({ held, look }: Row, now: number, received: string): string {
  const inWords = (ms: number): string => span(ms, lang());
  switch (look) {
    case "late":
      return inWords(now - held.due);
    case "returned":
    case "unclaimed":
      return inWords(now - held.changed);
    case "waiting":
      return inWords(now - held.received);
    case "handled":
    case "closed":
      return received;
    default:
      if (!flags(held, now, Number.POSITIVE_INFINITY).runs) return received;
      return t("dueIn", { span: inWords(held.due - now) });
  }
}
