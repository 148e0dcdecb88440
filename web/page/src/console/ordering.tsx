/** One order at a time: begun by a button, asked for what its row needs, sent once, and told what came of it. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { nameOf } from "../shared/i18n";
import { clock } from "../shared/time";
import type { Action, CaseDetail, Need, Outcome, Possible } from "../shared/types";
import type { Desk } from "./desk";
import { EvidenceChooser } from "./evidence";
import { IntoField, PinLine, ReturnFields, TeamField, UnitField, UntilField } from "./fields";
import { bodyOf, isReady, newOrder, type Order } from "./order";
import { PapersFields } from "./papers";
import { nameKey } from "./seat";
import type { Beside } from "./state";
import { t } from "./text";
import { noteHint, w } from "./words";

/** Actions by which a unit is sent: which one, may be said. */
const SENDS: ReadonlySet<Action> = new Set(["assign", "accept", "rework", "reassign", "rule", "resume", "reopen"]);
/** Steps whose row takes no note. */
const WORDLESS: ReadonlySet<Action> = new Set(["deliberate"]);
const MOST_LEVELS = 3;

export interface Ordering {
  order: Order | null;
  sending: boolean;
  begin: (action: Action) => void;
  /** Whose part of the circle is meant; where exactly nobody says, so there is no pin. */
  settle: (one: Outcome) => void;
  leave: () => void;
  form: JSX.Element | null;
}

export function useOrdering(desk: Desk, detail: CaseDetail, beside: Beside): Ordering {
  const [order, setOrder] = useState<Order | null>(null);
  const [sending, setSending] = useState(false);
  const [unsure, setUnsure] = useState(false);
  const { district, seat, pin, asking } = desk.store.state;

  const leave = (): void => {
    setOrder(null);
    desk.setPin(null);
  };
  useEffect(() => () => desk.setPin(null), []);
  useEffect(() => {
    if (asking !== beside) setOrder(null);
  }, [asking]);
  // Another role is offered other things. At once: an order that is begun right after is the new role's.
  useLayoutEffect(() => leave(), [seat.role]);

  const fresh = (action: Action): Order => {
    const { role } = seat;
    const blank = { ...newOrder(action, detail.seq, role), actor: desk.nameAs(role, detail.team) };
    return action === "serve"
      ? { ...blank, papers: { served_on: clock(district?.timezone ?? "Asia/Shanghai").day(Date.now()) } }
      : blank;
  };
  const start = (next: Order): void => {
    setUnsure(false);
    desk.store.set({ notice: null, asking: beside });
    setOrder(next);
    const { lon, lat, accuracy_m: accuracy } = detail;
    const onMap = next.action === "relocate" && !next.settles;
    desk.setPin(onMap ? { lon, lat, accuracy, moved: false } : null);
  };

  const needs = detail.actions.find((one) => one.action === order?.action)?.needs ?? [];
  const whole = order && { ...order, pin: order.action === "relocate" ? pin : null };
  const ready = whole !== null && isReady(whole, needs);

  const send = async (): Promise<void> => {
    if (!whole || !ready || sending) return;
    setSending(true);
    const of = whole.action === "state_ground" ? whole.team : detail.team;
    if (whole.actor.trim() !== desk.nameAs(whole.role, of)) {
      desk.sit({ names: { ...seat.names, [nameKey(whole.role, of)]: whole.actor.trim() } });
    }
    const outcome = await desk.act(detail.case, bodyOf(whole, detail));
    setSending(false);
    setUnsure(outcome.kind === "unsure");
    const tell = (tone: "done" | "problem", text: () => string): void =>
      desk.store.set({ notice: { tone, text, beside } });
    if (outcome.kind === "unsure") return tell("problem", () => t("do.unsure"));
    if (outcome.kind === "done") {
      const now = desk.store.state.open?.detail;
      const last = now?.history.find((one) => one.seq === now.seq);
      const time = clock(district?.timezone ?? "Asia/Shanghai");
      const facts = { n: last?.seq ?? whole.seq + 1, at: time.seconds(last?.at ?? Date.now()) };
      tell("done", () => t("do.done", { ...facts, action: t(`action.${whole.action}`) }));
    } else {
      const { kind, detail: why } = outcome;
      tell("problem", () => t(kind === "conflict" ? "do.conflict" : "do.failed", { detail: why }));
    }
    if (outcome.kind !== "refused") leave();
  };

  const form = whole && (
    <OrderForm
      key={whole.id}
      {...{ desk, detail, order: whole, needs, ready, sending, unsure, leave }}
      change={(patch) => setOrder((before) => before && { ...before, ...patch })}
      changePieces={(pieces) => setOrder((before) => before && { ...before, pieces: pieces(before.pieces) })}
      send={() => void send()}
    />
  );
  return {
    order,
    sending,
    begin: (action) => start(fresh(action)),
    settle: (one) => start({ ...fresh("relocate"), settles: one.team }),
    leave,
    form,
  };
}

interface FormProps {
  desk: Desk;
  detail: CaseDetail;
  order: Order;
  needs: readonly Need[];
  ready: boolean;
  sending: boolean;
  unsure: boolean;
  change: (patch: Partial<Order>) => void;
  changePieces: (change: (before: Order["pieces"]) => Order["pieces"]) => void;
  send: () => void;
  leave: () => void;
}

function OrderForm({
  desk,
  detail,
  order,
  needs,
  ready,
  sending,
  unsure,
  change,
  changePieces,
  send,
  leave,
}: FormProps) {
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => {
    box.current?.querySelector<HTMLElement>("select, input:not([type=file]), textarea")?.focus();
    box.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const { action, pin } = order;
  const fields = { desk, detail, order, change };
  const settled = desk.store.state.teams.get(order.settles);
  const carries = needs.includes("evidence");
  return (
    <form
      ref={box}
      class="order"
      aria-label={t(`action.${action}`)}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        leave();
      }}
    >
      <p class="records">{t("do.records", { action: t(`action.${action}`) })}</p>
      {order.settles && (
        <p class="pin-line" role="status">
          {t("do.settles", { team: settled ? nameOf(settled) : order.settles, n: Math.round(detail.accuracy_m) })}
        </p>
      )}
      {action === "escalate" && detail.level < MOST_LEVELS && (
        <p class="hint">{w("escalates", { n: detail.level + 1, who: w(levelWord(detail.level + 1)) })}</p>
      )}
      {needs.includes("position") && pin && <PinLine pin={pin} onPin={(at) => desk.setPin(at)} />}
      {action === "return" && <ReturnFields {...fields} />}
      {needs.includes("team") && <TeamField {...fields} />}
      {needs.includes("until") && <UntilField {...fields} />}
      {needs.includes("into") && <IntoField {...fields} />}
      {SENDS.has(action) && <UnitField {...fields} />}
      <PapersFields
        {...{ desk, detail, order, needs }}
        onPapers={(patch) => change({ papers: { ...order.papers, ...patch } })}
      />
      {carries && <EvidenceChooser desk={desk} pieces={order.pieces} onPieces={changePieces} />}
      {carries && order.pieces.length > 0 && (
        <>
          <label>
            <span>{w("evidence.officer")}</span>
            <input
              type="text"
              maxLength={100}
              value={order.officer}
              onInput={(event) => change({ officer: event.currentTarget.value })}
            />
          </label>
          <label class="tick">
            <input
              type="checkbox"
              checked={order.there}
              onChange={(event) => change({ there: event.currentTarget.checked })}
            />
            {w("evidence.there")}
          </label>
        </>
      )}
      {!WORDLESS.has(action) && (
        <label>
          <span>{t(needs.includes("note") ? "do.noteNeeded" : "do.note")}</span>
          <textarea
            rows={2}
            maxLength={2000}
            required={needs.includes("note")}
            value={order.note}
            placeholder={placeholder(action, needs)}
            onInput={(event) => change({ note: event.currentTarget.value })}
          />
        </label>
      )}
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
          {sending ? t("do.sending") : unsure ? t("retry") : t("do.confirm", { action: t(`action.${action}`) })}
        </button>
        <button type="button" onClick={leave}>
          {t("do.cancel")}
        </button>
      </div>
    </form>
  );
}

export function levelWord(level: number): "level.1" | "level.2" | "level.3" {
  return level <= 1 ? "level.1" : level === 2 ? "level.2" : "level.3";
}

function placeholder(action: Action, needs: readonly Need[]): string {
  if (action === "return" || action === "handle" || action === "reassign" || action === "relocate") {
    return t(`do.noteOf.${action}`);
  }
  return (needs.includes("note") && noteHint(action)) || t("do.noteOf.other");
}

interface ActionsProps {
  ordering: Ordering;
  those: readonly Possible[];
  next: Possible | undefined;
}

/** A button for each; the next step stands out. */
export function ActionButtons({ ordering: { order, sending, begin, leave }, those, next }: ActionsProps) {
  return (
    <div class="buttons">
      {those.map((one) => (
        <button
          key={one.action}
          type="button"
          class={one === next ? "primary" : ""}
          aria-expanded={order?.action === one.action}
          disabled={sending}
          onClick={() => (order?.action === one.action ? leave() : begin(one.action))}
        >
          {t(`action.${one.action}`)}
        </button>
      ))}
    </div>
  );
}

/** What came of the last order of this part of the panel. */
export function NoticeLine({ desk, beside }: { desk: Desk; beside: Beside }) {
  const { notice } = desk.store.state;
  if (!notice || (notice.beside ?? "orders") !== beside) return null;
  return (
    <p class={`notice ${notice.tone}`} role={notice.tone === "problem" ? "alert" : "status"}>
      {notice.text()}
    </p>
  );
}
