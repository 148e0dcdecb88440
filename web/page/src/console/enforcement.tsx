/** The enforcement procedure of a case: how far it is, what papers it has, and what the next step needs. */

import { lang } from "../shared/i18n";
import { clock } from "../shared/time";
import type { CaseDetail } from "../shared/types";
import type { Desk } from "./desk";
import { NoticeLine, useOrdering } from "./ordering";
import { OF_PROCEDURE, Offered } from "./orders";
import { departments } from "./papers";
import { lineOf, type ProcedureEvent, procedureEvents, STAGES_OVER } from "./stages";
import { t } from "./text";
import { w, wordOf } from "./words";

export function Enforcement({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const ordering = useOrdering(desk, detail, "enforcement");
  const possible = detail.actions.filter((one) => OF_PROCEDURE.has(one.action));
  const { role } = desk.store.state.seat;
  if (!detail.stage && !possible.some((one) => one.by.includes(role) || one.action === "file")) return null;
  const line = lineOf(detail.stage, detail.history);
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  const papers = detail.stage ? procedureEvents(detail.history) : [];
  return (
    <section class="enforcement" aria-label={w("law.title")}>
      <h3>
        {w("law.title")}
        <span class="sub">
          {!detail.stage
            ? w("law.none")
            : line.ended
              ? w(`law.ended.${line.ended}`)
              : w(line.summary ? "law.summary" : "law.general")}
        </span>
      </h3>
      {detail.stage && (
        <ol class="steps">
          {line.steps.map(({ action, how, at }) => (
            <li key={action} class={how} {...(how === "next" ? { "aria-current": "step" } : {})}>
              <span>{how === "maybe" ? `(${w(`step.${action}`)})` : w(`step.${action}`)}</span>
              <em>{at ? time.stamp(at) : w(`how.${how}`)}</em>
            </li>
          ))}
        </ol>
      )}
      {detail.stage && !STAGES_OVER.has(detail.stage) && <p class="hint">{w("law.barred")}</p>}
      {possible.length > 0 && <Offered desk={desk} ordering={ordering} possible={possible} />}
      {ordering.form}
      <NoticeLine desk={desk} beside="enforcement" />
      {papers.length > 0 && (
        <details class="papers">
          <summary>{w("law.papers")}</summary>
          <dl>
            {papers.map((event) => (
              <div key={event.seq}>
                <dt>{t(`action.${event.action}`)}</dt>
                <dd>
                  {paperLines(desk, event).map((said) => (
                    <span key={said}>{said}</span>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

/** What a step's papers say, a line each. */
export function paperLines(desk: Desk, { details: { procedure } }: ProcedureEvent): string[] {
  const colon = lang() === "zh" ? "：" : ": ";
  const line = (label: string, text: string | undefined): string => (text ? `${label}${colon}${text}` : "");
  const officers = procedure.officers?.map((one) => [one.name, one.number].filter(Boolean).join(" ")).join("、");
  const low = procedure.range?.[0] ?? "";
  const high = procedure.range?.[1] ?? "";
  const amount =
    procedure.amount &&
    (procedure.range ? w("yuanRange", { n: procedure.amount, low, high }) : w("yuan", { n: procedure.amount }));
  const named = new Map(departments(desk)).get(procedure.to ?? "") ?? procedure.to;
  return [
    line(w("officers"), officers),
    line(w("verdict"), procedure.verdict && wordOf("verdict", procedure.verdict)),
    line(w("minutes"), procedure.minutes),
    line(w("power"), procedure.power),
    line(w("tier"), procedure.tier),
    line(w("amount"), amount),
    line(w("way"), procedure.way && wordOf("way", procedure.way)),
    line(w("servedOn"), procedure.served_on),
    line(w("to"), procedure.to === "police" ? w("to.police") : named),
    line(w("receipt"), procedure.receipt),
  ].filter(Boolean);
}
