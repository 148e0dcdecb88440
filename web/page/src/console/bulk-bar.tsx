/** Several cases, chosen in the queue: one action for all of them, and what became of each. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { OrderAnswer } from "../shared/casework";
import type { Case, Need, Possible } from "../shared/types";
import { kindOfCase, type ManyOrder, MOST_ORDERS, type Offer, offers, ordersFor } from "./bulk";
import type { Desk } from "./desk";
import { UntilField } from "./fields";
import { TeamOptions } from "./filters";
import { newOrder, said } from "./order";
import { SeatPicker } from "./orders";
import { t } from "./text";
import { noteHint, w } from "./words";

/** What could not be read is asked for again after so long. */
const ASK_AGAIN_MS = 3000;

export function BulkBar({ desk }: { desk: Desk }) {
  const { chosen, rows, seat } = desk.store.state;
  const [possible, setPossible] = useState<ReadonlyMap<string, readonly Possible[]>>(new Map());
  const [action, setAction] = useState("");
  const [given, setGiven] = useState(() => newOrder("escalate", 0));
  const [sent, setSent] = useState<readonly ManyOrder[]>([]);
  const [answers, setAnswers] = useState<readonly OrderAnswer[]>([]);
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const cases = [...(chosen ?? [])].flatMap((id): Case[] => {
    const held = desk.store.book.get(id);
    return held ? [held.c] : [];
  });
  const unknown = [...new Map(cases.map((c) => [kindOfCase(c), c.case]))].filter(([kind]) => !possible.has(kind));
  useEffect(() => {
    for (const [kind, id] of unknown) {
      desk.client.case(id).then(
        (detail) => {
          setPossible((before) => new Map(before).set(kindOfCase(detail), detail.actions));
          setFailed("");
        },
        (error: unknown) => {
          setFailed(said(error));
          setTimeout(() => setPossible((before) => new Map([...before].filter(([one]) => one !== kind))), ASK_AGAIN_MS);
        },
      );
      // Asked for once: until the answer is here, nothing is offered for it.
      setPossible((before) => new Map(before).set(kind, []));
    }
  }, [unknown.map(([kind]) => kind).join()]);
  if (!chosen) return null;

  const offered = offers(cases, possible, seat.role);
  const offer = offered.find((one) => one.action === action);
  const ready = offer?.needs.every((need) => given[need as "note" | "team" | "until" | "into"].trim() !== "") ?? false;
  const carryOut = async (orders: readonly ManyOrder[]): Promise<void> => {
    setBusy(true);
    setSent(orders);
    try {
      setAnswers(await desk.actOnMany(orders));
      setFailed("");
      setPossible(new Map());
    } catch (error) {
      // Sent again, the same ids do nothing twice.
      setFailed(said(error));
    }
    setBusy(false);
  };
  const begin = (one: Offer): void => {
    const those = cases.filter((c) => one.cases.includes(c.case));
    const { note, team, until, into } = given;
    const actor = desk.nameAs(seat.role, those[0]?.team ?? "");
    void carryOut(ordersFor(those, { action: one.action, role: seat.role, actor, note, team, until, into }));
  };
  const done = answers.filter((one) => one.answer).length;

  return (
    <section class="bulk" aria-label={w("bulk.action")}>
      <p class="bulk-head">
        <b role="status">{w("bulk.chosen", { n: chosen.size })}</b>
        <button
          type="button"
          onClick={() => {
            const all = rows.slice(0, MOST_ORDERS).map((row) => row.held.c.case);
            desk.store.set({ chosen: new Set(all) });
          }}
        >
          {w("bulk.all", { n: Math.min(rows.length, MOST_ORDERS) })}
        </button>
        <button type="button" disabled={chosen.size === 0} onClick={() => desk.store.set({ chosen: new Set() })}>
          {w("bulk.none")}
        </button>
      </p>
      {answers.length > 0 ? (
        <Answers desk={desk} answers={answers}>
          <button type="button" class="primary" onClick={() => setAnswers([])}>
            {w("bulk.close")}
          </button>
          {done < answers.length && (
            <button type="button" disabled={busy} onClick={() => void carryOut(again(desk, sent, answers))}>
              {w("bulk.again", { n: answers.length - done })}
            </button>
          )}
        </Answers>
      ) : chosen.size === 0 ? (
        <p class="hint">{w("bulk.hint")}</p>
      ) : (
        <form
          class="order"
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            // First out of the form; from the queue it ends the choosing.
            event.stopPropagation();
            document.getElementById("queue")?.focus();
          }}
          onSubmit={(event) => {
            event.preventDefault();
            if (offer && ready && !busy) begin(offer);
          }}
        >
          <SeatPicker desk={desk} />
          <label>
            <span>{w("bulk.action")}</span>
            <select value={offer?.action ?? ""} onChange={(event) => setAction(event.currentTarget.value)}>
              <option value="">{w(offered.length > 0 ? "bulk.chooseAction" : "bulk.noAction")}</option>
              {offered.map((one) => (
                <option key={one.action} value={one.action}>
                  {`${t(`action.${one.action}`)} · ${w("bulk.some", { n: one.cases.length })}`}
                </option>
              ))}
            </select>
          </label>
          {offer && (
            <>
              <SharedFields
                desk={desk}
                needs={offer.needs}
                given={given}
                hint={noteHint(offer.action)}
                change={(patch) => setGiven((before) => ({ ...before, ...patch }))}
              />
              <div class="buttons">
                <button type="submit" class="primary" disabled={!ready || busy}>
                  {busy
                    ? t("do.sending")
                    : w("bulk.confirm", { n: offer.cases.length, action: t(`action.${offer.action}`) })}
                </button>
              </div>
            </>
          )}
        </form>
      )}
      {failed && (
        <p class="notice problem" role="alert">
          {failed}
        </p>
      )}
      {failed && sent.length > 0 && answers.length === 0 && (
        <button type="button" disabled={busy} onClick={() => void carryOut(sent)}>
          {t("retry")}
        </button>
      )}
    </section>
  );
}

/** Those that were refused, looked at as they stand now; nothing of them was written, so their ids are still free. */
function again(desk: Desk, sent: readonly ManyOrder[], answers: readonly OrderAnswer[]): ManyOrder[] {
  const refused = new Set(answers.filter((one) => !one.answer).map((one) => one.id));
  return sent
    .filter((order) => refused.has(order.id))
    .map((order) => ({ ...order, seq: desk.store.book.get(order.case)?.c.seq ?? order.seq ?? 1 }));
}

interface SharedProps {
  desk: Desk;
  needs: readonly Need[];
  given: ReturnType<typeof newOrder>;
  hint: string;
  change: (patch: Partial<ReturnType<typeof newOrder>>) => void;
}

function SharedFields({ desk, needs, given, hint, change }: SharedProps) {
  return (
    <>
      {needs.includes("team") && (
        <label>
          <span>{t("do.team")}</span>
          <select value={given.team} onChange={(event) => change({ team: event.currentTarget.value })}>
            <option value="">{t("do.chooseTeam")}</option>
            <TeamOptions teams={[...desk.store.state.teams.values()]} />
          </select>
        </label>
      )}
      {needs.includes("until") && <UntilField desk={desk} order={given} change={change} />}
      {needs.includes("into") && (
        <label>
          <span>{w("intoNumber")}</span>
          <input
            type="text"
            inputMode="numeric"
            maxLength={50}
            value={given.into}
            onInput={(event) => change({ into: event.currentTarget.value })}
          />
        </label>
      )}
      <label>
        <span>{t(needs.includes("note") ? "do.noteNeeded" : "do.note")}</span>
        <textarea
          rows={2}
          maxLength={2000}
          value={given.note}
          placeholder={needs.includes("note") ? hint : t("do.noteOf.other")}
          onInput={(event) => change({ note: event.currentTarget.value })}
        />
      </label>
    </>
  );
}

interface AnswersProps {
  desk: Desk;
  answers: readonly OrderAnswer[];
  children: ComponentChildren;
}

function Answers({ desk, answers, children }: AnswersProps) {
  const done = answers.filter((one) => one.answer).length;
  return (
    <div class="answers">
      <p role="status">{w("bulk.done", { done, refused: answers.length - done })}</p>
      <ul>
        {[...answers]
          .sort((a, b) => Number(Boolean(a.answer)) - Number(Boolean(b.answer)))
          .map((one) => (
            <li key={one.id} class={one.answer ? "done" : "refused"}>
              <button type="button" class="inline" onClick={() => desk.openCase(one.case ?? "")}>
                {one.case}
              </button>
              <span>
                {one.answer ? w("bulk.ok") : (one.problem?.detail ?? one.problem?.title ?? String(one.status))}
              </span>
            </li>
          ))}
      </ul>
      <div class="buttons">{children}</div>
    </div>
  );
}
