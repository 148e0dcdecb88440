/** One case: what, where, whose, who comes and when; why; what may be done; what was done. */

import { useEffect, useRef } from "preact/hooks";
import { lang, nameOf } from "../shared/i18n";
import { RUNNING, shownAs } from "../shared/states";
import { clock, distance, span, travel } from "../shared/time";
import type { Case, CaseDetail, Source, UnitCandidate, Why } from "../shared/types";
import { flags, hold, look } from "./attention";
import { ReporterContact } from "./contact";
import type { Desk } from "./desk";
import { DisputePart } from "./disputes";
import { Duplicates, Reporters } from "./duplicates";
import { Enforcement } from "./enforcement";
import { Evidence } from "./evidence";
import { CaseSign, UnitSign } from "./icons";
import { Orders } from "./orders";
import { RecordPart } from "./record";
import type { OpenCase } from "./state";
import { coded, t } from "./text";
import { told } from "./told";
import { w, wordOf } from "./words";

export function Panel({ desk, open }: { desk: Desk; open: OpenCase }) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (box.current) box.current.scrollTop = 0;
  }, [open.id]);
  const held = desk.store.book.get(open.id)?.c;
  // The stream may be a step ahead of the detail that was read.
  const c = open.detail && (!held || held.seq <= open.detail.seq) ? open.detail : (held ?? open.detail);
  return (
    <aside class="panel" ref={box} aria-label={t("panel")}>
      <button
        type="button"
        class="plain shut"
        aria-label={t("close")}
        title={t("close")}
        onClick={() => desk.closeCase()}
      >
        ✕
      </button>
      {c && <Headline desk={desk} c={c} detail={open.detail} />}
      {open.failed && (
        <div class="problem" role="alert">
          <p>
            {t("panel.failed")}：{open.failed}
          </p>
          <button type="button" onClick={() => void desk.readCase(open.id)}>
            {t("retry")}
          </button>
        </div>
      )}
      {open.detail && <Duplicates key={`same ${open.id}`} desk={desk} detail={open.detail} />}
      {open.detail && c && (
        <>
          <Orders key={open.id} desk={desk} detail={open.detail} />
          <DisputePart key={`dispute ${open.id}`} desk={desk} detail={open.detail} />
          <Enforcement key={`law ${open.id}`} desk={desk} detail={open.detail} />
        </>
      )}
      <Reasons open={open} />
      {open.detail && (
        <>
          <Report desk={desk} detail={open.detail} />
          <Reporters desk={desk} detail={open.detail} />
          <Joined desk={desk} detail={open.detail} />
          <Evidence desk={desk} detail={open.detail} />
          <History desk={desk} detail={open.detail} />
          <RecordPart key={`record ${open.id}`} desk={desk} detail={open.detail} />
          <Candidates desk={desk} why={open.why} detail={open.detail} />
        </>
      )}
      {!open.detail && !open.failed && (
        <p class="quiet" role="status">
          {t("loading")}
        </p>
      )}
    </aside>
  );
}

function Headline({ desk, c, detail }: { desk: Desk; c: Case; detail: CaseDetail | null }) {
  const { state } = desk.store;
  const moment = desk.moment();
  const held = hold(c);
  const seen = look(held, moment.now, moment.unclaimedAfter);
  const flag = flags(held, moment.now, moment.unclaimedAfter);
  const time = clock(state.district?.timezone ?? "Asia/Shanghai");
  const team = state.teams.get(c.team);
  const unit = c.unit ? state.units.get(c.unit) : undefined;
  const place = (layer: string, code: string | undefined | null): string => {
    const named = code ? state.places.get(layer)?.get(code) : undefined;
    return named ? nameOf(named) : "";
  };
  const zones = ["joint", "water", "dedicated"].flatMap((layer) =>
    (c.zones[layer] ?? []).map((code) => place(layer, code) || code),
  );
  const sent = detail?.decision.candidates.find(
    (one): one is UnitCandidate => one.kind === "unit" && one.code === c.unit,
  );
  const running = RUNNING.has(c.state);
  return (
    <header class={`headline ${seen}`}>
      <p class="number">
        <span>{c.case}</span>
        <span class={`urgency u${c.urgency}`}>
          {t(c.urgency === 1 ? "urgency.1" : c.urgency === 2 ? "urgency.2" : "urgency.3")}
        </span>
      </p>
      <h2>{nameOf({ name: c.matter_name, name_en: c.matter_name_en })}</h2>
      <p class="chips">
        <span class={`chip ${seen}`}>
          <CaseSign look={seen} size={16} />
          {t(seen === shownAs(c.state) ? `state.${c.state}` : `look.${seen}`)}
          {flag.late && <b>{span(moment.now - held.due, lang())}</b>}
        </span>
        {seen !== shownAs(c.state) && <span class="chip">{t(`state.${c.state}`)}</span>}
        {flag.waiting && seen !== "waiting" && <span class="chip waiting">{t("look.waiting")}</span>}
        {flag.warned && <span class="chip warned">{t("look.warned")}</span>}
        {c.level > 0 && <span class="chip level">{t("level", { n: c.level })}</span>}
        {flag.unsure && <span class="chip unsure">{t("confirm.chip")}</span>}
        {flag.unclaimed && seen !== "unclaimed" && <span class="chip unclaimed">{t("look.unclaimed")}</span>}
        {c.suspended_until && <span class="chip">{w("suspendedUntil", { day: c.suspended_until })}</span>}
        {c.merged_into && <CaseLink desk={desk} id={c.merged_into} text={w("mergedInto", { case: c.merged_into })} />}
        {flag.runs && !flag.late && (
          <span class="left">{t("dueIn", { span: span(held.due - moment.now, lang()) })}</span>
        )}
      </p>
      <dl class="facts">
        <dt>{t("panel.place")}</dt>
        <dd>
          <span class="strong">{[place("township", c.township), ...zones].filter(Boolean).join(" · ") || "–"}</span>
          <span class="sub">
            {c.grid && t("panel.grid", { code: c.grid })}{" "}
            <span class="nowrap">{`${c.lon.toFixed(5)}, ${c.lat.toFixed(5)}`}</span>{" "}
            {t("panel.accuracy", { n: Math.round(c.accuracy_m) })}{" "}
            <button type="button" class="inline" onClick={() => desk.centre()}>
              {t("panel.findOnMap")}
            </button>
          </span>
        </dd>
        <dt>{t("panel.team")}</dt>
        <dd>
          <span class="strong">{team ? nameOf(team) : c.team}</span>
          {team && <span class="sub">{coded("kind", team.kind)}</span>}
        </dd>
        <dt>{t("panel.unit")}</dt>
        <dd>
          {c.unit ? (
            <>
              <span class="strong with-sign">
                <UnitSign mode={unit?.mode ?? c.mode ?? "vehicle"} busy={running} size={20} />
                {unit ? nameOf(unit) : c.unit}
              </span>
              <span class="sub">
                {c.eta_s !== null &&
                  c.state !== "on_scene" &&
                  running &&
                  t("panel.eta", { span: travel(c.eta_s, lang()) })}
                {sent?.distance_m !== null && sent?.distance_m !== undefined && (
                  <span class="nowrap"> {t("panel.distance", { distance: distance(sent.distance_m, lang()) })}</span>
                )}
              </span>
            </>
          ) : (
            <span class={flag.waiting ? "strong warn" : "strong"}>{t("panel.noUnit")}</span>
          )}
        </dd>
        <dt>{t("panel.due")}</dt>
        <dd>
          <span class="strong">{c.due_at ? time.stamp(c.due_at) : t("panel.notDue")}</span>
          {c.state === "suspended" && c.left_s !== null && (
            <span class="sub">{t("panel.stands", { span: span(c.left_s * 1000, lang()) })}</span>
          )}
          {c.assumed.length > 0 && <span class="sub">{t("note.calendar_assumed")}</span>}
        </dd>
      </dl>
    </header>
  );
}

function Reasons({ open }: { open: OpenCase }) {
  const { why, whyFailed } = open;
  const said = why?.[lang()];
  return (
    <section class="why" aria-label={t("panel.why")}>
      <h3>{t("panel.why")}</h3>
      {said && (
        <>
          <p class="because">{said.headline}</p>
          <ol>
            {said.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </>
      )}
      {whyFailed && !said && <p class="problem">{`${t("panel.whyFailed")}：${whyFailed}`}</p>}
    </section>
  );
}

/** Whence a report came, and under which number it is known there. */
function from({ source, source_ref }: { source: Source; source_ref: string | null }): string {
  const name = coded("source", source);
  return source_ref ? `${name} · ${t("panel.sourceRef", { ref: source_ref })}` : name;
}

function Report({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  const photos = detail.photos;
  const said = [
    from(detail),
    t("panel.seen", { at: time.stamp(detail.seen_at) }),
    t("panel.received", { at: time.stamp(detail.received_at) }),
  ];
  return (
    <section aria-label={t("panel.text")}>
      <h3>{t("panel.text")}</h3>
      <p class={detail.text ? "report" : "report quiet"}>{detail.text || t("panel.noText")}</p>
      <p class="sub">{said.join(" · ")}</p>
      <Photos desk={desk} photos={photos} />
      {detail.report.has_contact && (
        <ReporterContact key={detail.case} desk={desk} of={detail.case} team={detail.team} />
      )}
    </section>
  );
}

function Photos({ desk, photos }: { desk: Desk; photos: readonly string[] }) {
  if (photos.length === 0) return null;
  return (
    <ul class="photos" aria-label={t("panel.photos")}>
      {photos.map((sha, i) => (
        <li key={sha}>
          <a href={desk.client.photoUrl(sha)} target="_blank" rel="noopener">
            <img src={desk.client.photoUrl(sha, "thumb")} alt={t("panel.photo", { n: i + 1 })} loading="lazy" />
          </a>
        </li>
      ))}
    </ul>
  );
}

function CaseLink({ desk, id, text }: { desk: Desk; id: string; text: string }) {
  return (
    <button type="button" class="inline" onClick={() => desk.openCase(id)}>
      {text}
    </button>
  );
}

/** Who else reported the same thing: cases that were merged into this one. */
function Joined({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  if (detail.joined.length === 0) return null;
  return (
    <section class="joined" aria-label={w("joined", { n: detail.joined.length + 1 })}>
      <h3>{w("joined", { n: detail.joined.length + 1 })}</h3>
      <ul>
        {detail.joined.map((one) => (
          <li key={one.case}>
            <p class={one.text ? "report" : "report quiet"}>{one.text || t("panel.noText")}</p>
            <p class="sub">
              {from(one)} · {time.stamp(one.received_at)} ·{" "}
              <CaseLink desk={desk} id={one.case} text={w("joinedFrom", { case: one.case })} />
            </p>
            <Photos desk={desk} photos={one.photos} />
            {one.has_contact && <ReporterContact desk={desk} of={one.case} team={detail.team} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Steps by which a case goes to a team. */
const PASSED: ReadonlySet<string> = new Set(["report", "reassign", "relocate", "rule"]);

function History({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const { state } = desk.store;
  const time = clock(state.district?.timezone ?? "Asia/Shanghai");
  return (
    <section aria-label={t("panel.history")}>
      <h3>{t("panel.history")}</h3>
      <ol class="history">
        {[...detail.history]
          .sort((a, b) => b.seq - a.seq)
          .map((event) => {
            const team = PASSED.has(event.action) ? state.teams.get(event.after.team) : undefined;
            const unit = event.action === "offer" ? state.units.get(event.after.unit ?? "") : undefined;
            const more = told(event, (code) => nameOf(state.teams.get(code) ?? { name: code }));
            const { role } = event.details;
            return (
              <li key={event.seq} class={event.action}>
                <time dateTime={event.at}>{time.stamp(event.at)}</time>
                <span class="did">{coded("action", event.action)}</span>
                <span class="by">
                  {[
                    event.action === "report"
                      ? coded("source", event.actor)
                      : event.actor.startsWith("rule:")
                        ? coded("actor", event.actor)
                        : event.actor,
                    role && event.actor !== wordOf("role", role) ? `· ${wordOf("role", role)}` : "",
                    team ? `→ ${nameOf(team)}` : "",
                    unit ? `→ ${nameOf(unit)}` : "",
                  ]
                    .filter(Boolean)
                    .join(" ")}
                </span>
                {more.length > 0 && <p>{more.join(" · ")}</p>}
                {event.note && <p>{event.note}</p>}
              </li>
            );
          })}
      </ol>
    </section>
  );
}

/** Which position of a unit its way was counted from, when it was not its base: one so many seconds old. */
function beginOf(seen: number): string {
  return seen < 60 ? t("unit.from_now") : t("unit.from_before", { minutes: Math.round(seen / 60) });
}

function Candidates({ desk, why, detail }: { desk: Desk; why: Why | null; detail: CaseDetail }) {
  const { units, teams } = desk.store.state;
  const decision = why?.decision ?? detail.decision;
  const those = decision.candidates.filter((one) => one.kind === "unit");
  const rules = decision.candidates.filter((one) => one.kind === "rule");
  return (
    <section aria-label={t("panel.candidates")}>
      {those.length > 0 && (
        <>
          <h3>{t("panel.candidates")}</h3>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("col.unit")}</th>
                <th scope="col" class="num">
                  {t("col.eta")}
                </th>
                <th scope="col" class="num">
                  {t("col.distance")}
                </th>
                <th scope="col">{t("col.verdict")}</th>
              </tr>
            </thead>
            <tbody>
              {those.map((one) => {
                const unit = units.get(one.code);
                return (
                  <tr key={one.code} class={one.chosen ? "chosen" : ""}>
                    <td>
                      <span class="with-sign">
                        <UnitSign mode={one.mode} busy={one.chosen} size={16} />
                        {unit ? nameOf(unit) : one.code}
                      </span>
                      {one.seen_s !== null && <div class="sub">{beginOf(one.seen_s)}</div>}
                    </td>
                    <td class="num">{one.eta_s === null ? "–" : travel(one.eta_s, lang())}</td>
                    <td class="num">{one.distance_m === null ? "–" : distance(one.distance_m, lang())}</td>
                    <td>{coded("reason", one.reason)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </>
      )}
      {rules.length > 0 && (
        <>
          <h3>{t("panel.rules")}</h3>
          <ul class="rules">
            {rules.map((one) => {
              const team = teams.get(one.team);
              return (
                <li key={one.code} class={one.chosen ? "chosen" : ""}>
                  <code>{one.code}</code>
                  <span>{team ? nameOf(team) : one.team}</span>
                  <em>{coded("reason", one.reason)}</em>
                </li>
              );
            })}
          </ul>
        </>
      )}
      <p class="sub">
        {[...decision.notes.map((note) => coded("note", note)), t("panel.version", { version: decision.version })].join(
          " · ",
        )}
      </p>
    </section>
  );
}
