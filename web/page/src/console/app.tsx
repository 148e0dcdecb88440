/** The frame: bar on top; queue, map and case beside each other. */

import { useEffect, useReducer } from "preact/hooks";
import { lang, nameOf, onLang } from "../shared/i18n";
import { span } from "../shared/time";
import { Assignment } from "./assignment-panel";
import { Bar } from "./bar";
import type { Desk } from "./desk";
import { DisputeList } from "./disputes";
import { Help } from "./help";
import { MapPane } from "./map-pane";
import { Panel } from "./panel";
import { Queue } from "./queue";
import { t } from "./text";

export function App({ desk }: { desk: Desk }) {
  const [, again] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => desk.store.subscribe(() => again()), [desk]);
  useEffect(
    () =>
      onLang(() => {
        desk.map?.speak();
        if (desk.store.state.open) void desk.readCase(desk.store.state.open.id);
        again();
      }),
    [desk],
  );
  const { state } = desk.store;
  useEffect(() => {
    const place = state.district ? nameOf(state.district) : "";
    document.title = [place, t("title")].filter(Boolean).join(lang() === "zh" ? "" : " · ");
  }, [state.district, lang()]);

  const { loading } = state;
  return (
    <div class="app">
      <button type="button" class="skip" onClick={() => document.getElementById("queue")?.focus()}>
        {t("skip")}
      </button>
      <Bar desk={desk} />
      {state.link === "lost" && loading.kind === "ready" && <Lost since={state.lostAt} now={state.now} />}
      {state.district && state.edition && state.edition !== state.district.version && <Superseded />}
      {loading.kind === "failed" ? (
        <main class="failed">
          <div role="alert">
            <h2>{t("loadFailed")}</h2>
            <p>{loading.message}</p>
          </div>
          <button type="button" class="primary" onClick={() => void desk.start()}>
            {t("retry")}
          </button>
        </main>
      ) : (
        <main class={`desk tab-${state.tab}${state.open || state.assigning ? " with-panel" : ""}`}>
          <Queue desk={desk} />
          <MapPane desk={desk} />
          {state.assigning && <Assignment desk={desk} />}
          {state.open && <Panel desk={desk} open={state.open} />}
        </main>
      )}
      {loading.kind !== "failed" && (
        <nav class="tabs" aria-label={t("title")}>
          {(["queue", "map"] as const).map((tab) => (
            <button
              key={tab}
              type="button"
              aria-pressed={state.tab === tab}
              onClick={() => {
                desk.store.set({ tab });
                if (state.open) desk.closeCase();
              }}
            >
              {t(`tab.${tab}`)}
            </button>
          ))}
        </nav>
      )}
      {state.disputes && <DisputeList desk={desk} />}
      {state.help && <Help close={() => desk.store.set({ help: false })} />}
    </div>
  );
}

/** Zones, teams and matters have changed: told, not forced on somebody in the middle of a sentence. */
function Superseded() {
  return (
    <div class="lost superseded" role="status">
      {t("superseded")}
      <button type="button" onClick={() => location.reload()}>
        {t("superseded.load")}
      </button>
    </div>
  );
}

function Lost({ since, now }: { since: number; now: number }) {
  return (
    <div class="lost" role="status">
      <span class="pulse" aria-hidden="true" />
      {t("link.lostFor", { span: span(now - since, lang()) })}
    </div>
  );
}
