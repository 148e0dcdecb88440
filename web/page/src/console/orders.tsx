/** What may be done to the open case: one action each, saying what will be recorded before it is. */

import { useEffect, useRef, useState } from "preact/hooks";
import { nameOf } from "../shared/i18n";
import { clock } from "../shared/time";
import type { Action, CaseDetail, Outcome, Possible } from "../shared/types";
import { Confirm } from "./confirm";
import type { Desk } from "./desk";
import { TeamOptions } from "./filters";
import { isReady, newOrder, type Order } from "./order";
import type { Pin } from "./pin";
import { t } from "./text";

const ACTOR = "onegrid.actor";

/** The step that the case is waiting for stands out; sending it elsewhere does not, unless it was sent back. */
function leading(possible: readonly Possible[]): Action | undefined {
  const actions = possible.map((one) => one.action);
  return (["accept", "arrive", "handle", "close"] as const).find((one) => actions.includes(one)) ?? actions[0];
}

function rememberedActor(): string {
  try {
    return localStorage.getItem(ACTOR) ?? "";
  } catch {
    return "";
  }
}

/** What this panel can ask for: the rest is ordered elsewhere. */
const ASKED: ReadonlySet<string> = new Set(["note", "team", "position"]);

function canAsk({ needs }: Possible): boolean {
  return needs.every((field) => ASKED.has(field));
}

export function Orders({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const [order, setOrder] = useState<Order | null>(null);
  const [sending, setSending] = useState(false);
  const [unsure, setUnsure] = useState(false);
  const first = useRef<HTMLTextAreaElement & HTMLSelectElement>(null);
  const { notice, district, teams, pin } = desk.store.state;
  const time = clock(district?.timezone ?? "Asia/Shanghai");
  const possible = detail.actions.filter(canAsk);
  const lead = leading(possible);

  useEffect(() => first.current?.focus(), [order?.id]);
  const fresh = (action: Action): Order => ({
    ...newOrder(action, detail.seq),
    actor: rememberedActor() || t("do.seat"),
  });
  const begin = (action: Action): void => {
    setUnsure(false);
    desk.store.set({ notice: null });
    setOrder(fresh(action));
    const { lon, lat, accuracy_m: accuracy } = detail;
    desk.setPin(action === "relocate" ? { lon, lat, accuracy, moved: false } : null);
  };
  const leave = (): void => {
    setOrder(null);
    desk.setPin(null);
  };
  /** Whose part of the circle is meant; where exactly nobody says, so there is no pin. */
  const settle = (one: Outcome): void => {
    setUnsure(false);
    desk.store.set({ notice: null });
    setOrder({ ...fresh("relocate"), settles: one.team });
    desk.setPin(null);
  };
  useEffect(() => () => desk.setPin(null), []);
  const change = (patch: Partial<Order>): void => setOrder(order && { ...order, ...patch });
  const needs = detail.actions.find((one) => one.action === order?.action)?.needs ?? [];
  const whole = order && { ...order, pin: order.action === "relocate" ? pin : null };
  const settled = order && teams.get(order.settles);
  const ready = whole && isReady(whole, needs);

  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!order || !whole || !ready || sending) return;
    setSending(true);
    try {
      localStorage.setItem(ACTOR, order.actor);
    } catch {
      // Not remembered, still recorded.
    }
    const outcome = await desk.act(detail.case, whole);
    setSending(false);
    setUnsure(outcome.kind === "unsure");
    if (outcome.kind === "unsure") {
      desk.store.set({ notice: { tone: "problem", text: () => t("do.unsure") } });
      return;
    }
    if (outcome.kind === "done") {
      const now = desk.store.state.open?.detail;
      const last = now?.history.find((one) => one.seq === now.seq);
      const done = order.action;
      const facts = { n: last?.seq ?? order.seq + 1, at: time.seconds(last?.at ?? Date.now()) };
      const text = (): string => t("do.done", { ...facts, action: t(`action.${done}`) });
      desk.store.set({ notice: { tone: "done", text } });
    } else {
      const { kind, detail: why } = outcome;
      const text = (): string => t(kind === "conflict" ? "do.conflict" : "do.failed", { detail: why });
      desk.store.set({ notice: { tone: "problem", text } });
    }
    if (outcome.kind !== "refused") leave();
  };

  return (
    <section class="orders" aria-label={t("do.title")}>
      <Confirm detail={detail} onChoice={settle} />
      {possible.length === 0 && <p class="quiet">{t("do.none")}</p>}
      <div class="buttons">
        {possible.map(({ action }) => (
          <button
            key={action}
            type="button"
            class={action === lead ? "primary" : ""}
            aria-expanded={order?.action === action}
            disabled={sending}
            onClick={() => (order?.action === action ? leave() : begin(action))}
          >
            {t(`action.${action}`)}
          </button>
        ))}
      </div>
      {order && (
        <form
          class="order"
          onSubmit={(event) => void send(event)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            leave();
          }}
        >
          <p class="records">{t("do.records", { action: t(`action.${order.action}`) })}</p>
          {order.settles && (
            <p class="pin-line" role="status">
              {t("do.settles", { team: settled ? nameOf(settled) : order.settles, n: Math.round(detail.accuracy_m) })}
            </p>
          )}
          {needs.includes("position") && pin && <PinLine pin={pin} onPin={(at) => desk.setPin(at)} />}
          {needs.includes("team") && (
            <label>
              <span>{t("do.team")}</span>
              <select
                ref={first}
                required
                value={order.team}
                onChange={(event) => change({ team: event.currentTarget.value })}
              >
                <option value="">{t("do.chooseTeam")}</option>
                <TeamOptions
                  teams={[...teams.values()]}
                  {...(detail.state === "returned" ? {} : { without: detail.team })}
                />
              </select>
            </label>
          )}
          <label>
            <span>{t(needs.includes("note") ? "do.noteNeeded" : "do.note")}</span>
            <textarea
              {...(needs.includes("team") ? {} : { ref: first })}
              rows={2}
              maxLength={2000}
              value={order.note}
              placeholder={t(placeholder(order.action))}
              onInput={(event) => change({ note: event.currentTarget.value })}
            />
          </label>
          <label class="as">
            <span>{t("do.as")}</span>
            <input
              type="text"
              maxLength={60}
              value={order.actor}
              onInput={(event) => change({ actor: event.currentTarget.value })}
            />
          </label>
          <div class="buttons">
            <button type="submit" class="primary" disabled={!ready || sending}>
              {sending
                ? t("do.sending")
                : unsure
                  ? t("retry")
                  : t("do.confirm", { action: t(`action.${order.action}`) })}
            </button>
            <button type="button" onClick={leave}>
              {t("do.cancel")}
            </button>
          </div>
        </form>
      )}
      {notice && (
        <p class={`notice ${notice.tone}`} role={notice.tone === "problem" ? "alert" : "status"}>
          {notice.text()}
        </p>
      )}
    </section>
  );
}

/** With what coordinates that somebody reads out are taken to be known, in metres. */
const READ_OUT_M = 10;

/** Where the pin stands, in figures too: for coordinates that came by telephone, and for who works without a mouse. */
function PinLine({ pin, onPin }: { pin: Pin; onPin: (pin: Pin) => void }) {
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

function placeholder(action: Action) {
  return action === "return" || action === "handle" || action === "reassign" || action === "relocate"
    ? (`do.noteOf.${action}` as const)
    : "do.noteOf.other";
}
