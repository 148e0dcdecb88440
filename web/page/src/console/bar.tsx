/** The bar on top: whose desk this is, the counters, whether the link is alive, the time. */

import { Demonstration } from "../shared/demonstration";
import { lang, nameOf, setLang } from "../shared/i18n";
import { clock } from "../shared/time";
import type { Counters } from "../shared/types";
import { AssignAll } from "./assignment-panel";
import type { Look } from "./attention";
import type { Desk } from "./desk";
import { SHOWS, type Show } from "./filter";
import { CaseSign } from "./icons";
import { Bell } from "./notices/bell";
import { t } from "./text";

const SIGN: Partial<Record<Show, Look>> = {
  late: "late",
  returned: "returned",
  disputed: "returned",
  waiting: "waiting",
  unclaimed: "unclaimed",
};

/** Shown in the queue's own order. */
const ORDER: readonly Show[] = [
  "late",
  "returned",
  "disputed",
  "waiting",
  "unclaimed",
  "open",
  "received_today",
  "closed_today",
];

export function Bar({ desk }: { desk: Desk }) {
  const { state } = desk.store;
  const time = clock(state.district?.timezone ?? "Asia/Shanghai");
  const minutes = state.district?.unclaimed_after_min ?? 30;
  return (
    <header class="bar">
      <div class="brand">
        <h1>
          <span class="place">{state.district ? nameOf(state.district) : " "}</span>
          <span class="name">{t("title")}</span>
        </h1>
        {state.district && (
          <p class="beneath">
            <Demonstration district={state.district} />
            <span class="edition">{t("edition", { version: state.district.version })}</span>
          </p>
        )}
      </div>
      <nav class="counters" aria-label={t("filter")}>
        {ORDER.filter((show) => SHOWS.includes(show)).map((show) => (
          <Counter
            key={show}
            show={show}
            value={state.counters}
            on={state.filter.show === show}
            hint={t(`count.hint.${show}`, { min: minutes })}
            choose={() => desk.setFilter({ show: state.filter.show === show ? "open" : show, state: "" })}
          />
        ))}
      </nav>
      <div class="aside">
        <AssignAll desk={desk} />
        <span class={`link ${state.link}`} role="status">
          <span class="dot" aria-hidden="true" />
          {t(state.link === "lost" ? "link.lost" : `link.${state.link}`)}
        </span>
        <Bell desk={desk} />
        <time class="clock" dateTime={new Date(state.now).toISOString()}>
          <span class="day">{time.day(state.now)}</span>
          <span class="hour">{time.seconds(state.now)}</span>
        </time>
        <button
          type="button"
          class="plain"
          lang={lang() === "zh" ? "en" : "zh-CN"}
          onClick={() => setLang(lang() === "zh" ? "en" : "zh")}
        >
          {t("language")}
        </button>
        <button
          type="button"
          class="plain key"
          title={t("help")}
          aria-label={t("help")}
          onClick={() => desk.store.set({ help: true })}
        >
          ?
        </button>
      </div>
    </header>
  );
}

interface CounterProps {
  show: Show;
  value: Counters | null;
  on: boolean;
  hint: string;
  choose: () => void;
}

function Counter({ show, value, on, hint, choose }: CounterProps) {
  const n = value?.[show];
  const sign = SIGN[show];
  return (
    <button
      type="button"
      class={`counter ${show}${n === 0 ? " none" : ""}`}
      aria-pressed={on}
      title={hint}
      onClick={choose}
    >
      <span class="label">
        {sign && <CaseSign look={sign} size={14} />}
        {t(`count.${show}`)}
      </span>
      <span class="figure">{n === undefined ? "–" : n.toLocaleString("en-US")}</span>
    </button>
  );
}
