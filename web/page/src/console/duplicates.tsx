/** What else is open that the open case may be the same as: one press merges them; and who else reported it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Duplicate, Reporter } from "../shared/duplicates";
import { lang, nameOf } from "../shared/i18n";
import { OVER } from "../shared/states";
import { clock, distance, span } from "../shared/time";
import type { CaseDetail } from "../shared/types";
import { uuid } from "../shared/uuid";
import type { Desk } from "./desk";
import { outcomeOf } from "./order";
import { t } from "./same-words";
import { coded, t as says } from "./text";

/** Pairs that somebody at this page said are not the same; for as long as the page is open. */
const apart = new Set<string>();

const pair = (one: string, other: string): string => [one, other].sort().join(" ");

/** The younger of two goes into the older, which its team knows longer. */
function direction(own: CaseDetail, other: Duplicate): { from: string; into: string } {
  const age = (one: CaseDetail | Duplicate): string => `${one.received_at} ${one.case}`;
  const isYounger = age(own) > age(other);
  return isYounger ? { from: own.case, into: other.case } : { from: other.case, into: own.case };
}

export function Duplicates({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const [offered, setOffered] = useState<readonly Duplicate[]>([]);
  const [, redraw] = useState(0);
  const [joining, setJoining] = useState("");
  // The same order again has the same id, so that nothing is recorded twice.
  const ids = useRef(new Map<string, string>());
  const over = OVER.has(detail.state);

  useEffect(() => {
    setOffered([]);
    if (over) return;
    let gone = false;
    desk.client.duplicatesOf(detail.case).then(
      ({ items }) => !gone && setOffered(items),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [desk, detail.case, detail.seq, over]);

  const merge = async (one: Duplicate): Promise<void> => {
    const { from, into } = direction(detail, one);
    const id = ids.current.get(one.case) ?? uuid();
    ids.current.set(one.case, id);
    setJoining(one.case);
    try {
      await desk.client.act(from, {
        id,
        action: "merge",
        actor: desk.nameAs("dispatcher", ""),
        role: "dispatcher",
        into,
      });
      desk.store.set({ notice: { tone: "done", text: () => t("same.done", { case: from, into }) } });
      if (from === detail.case) desk.openCase(into);
      else await desk.readCase(detail.case);
    } catch (error) {
      const outcome = outcomeOf(error);
      const text = (): string =>
        "detail" in outcome ? t("same.failed", { detail: outcome.detail }) : t("same.unsure");
      if (outcome.kind !== "unsure") ids.current.delete(one.case);
      desk.store.set({ notice: { tone: "problem", text } });
      await desk.readCase(detail.case);
    }
    setJoining("");
  };

  const shown = offered.filter((one) => !apart.has(pair(detail.case, one.case)));
  // To merge is the dispatcher's.
  if (shown.length === 0 || desk.store.state.seat.role !== "dispatcher") return null;
  return (
    <section class="duplicates" aria-label={t("same.title")}>
      <h3>{t("same.title")}</h3>
      <ul>
        {shown.map((one) => {
          const { from } = direction(detail, one);
          return (
            <li key={one.case} data-case={one.case}>
              <p>
                <b>{nameOf({ name: one.matter_name, name_en: one.matter_name_en })}</b> {says(`state.${one.state}`)}
                <em>
                  {t("same.facts", {
                    d: distance(one.distance_m, lang()),
                    span: span(one.minutes * 60_000, lang()),
                  })}
                  {" · "}
                  {lang() === "zh" ? one.zh : one.en}
                </em>
              </p>
              {one.said && <p class="report">{one.said}</p>}
              <div class="buttons">
                <button type="button" class="primary join" disabled={joining !== ""} onClick={() => void merge(one)}>
                  {joining === one.case
                    ? t("same.joining")
                    : t(from === detail.case ? "same.into" : "same.take", { case: one.case })}
                </button>
                <button type="button" onClick={() => desk.openCase(one.case)}>
                  {t("same.open")}
                </button>
                <button
                  type="button"
                  class="apart"
                  onClick={() => {
                    apart.add(pair(detail.case, one.case));
                    redraw((n) => n + 1);
                  }}
                >
                  {t("same.not")}
                </button>
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Who else reported it, where more did than the reports that were merged into this very case, which are shown whole. */
export function Reporters({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const [reporters, setReporters] = useState<readonly Reporter[]>([]);
  useEffect(() => {
    let gone = false;
    setReporters([]);
    desk.client.reporters(detail.case).then(
      ({ items }) => !gone && setReporters(items),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [desk, detail.case, detail.seq]);
  if (reporters.length < 2 || reporters.length <= detail.joined.length + 1) return null;
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  return (
    <section class="reporters" aria-label={t("reporters.title", { n: reporters.length })}>
      <h3>{t("reporters.title", { n: reporters.length })}</h3>
      <ul>
        {reporters.map((one) => (
          <li key={one.report}>
            <time dateTime={one.received_at}>{time.stamp(one.received_at)}</time> {coded("source", one.source)}
            {one.case !== detail.case && <span class="quiet"> {one.case}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
