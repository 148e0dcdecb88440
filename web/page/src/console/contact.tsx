/** Who reported a case: hidden until somebody says why he asks, and that is recorded first. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Contact } from "../shared/types";
import { uuid } from "../shared/uuid";
import type { Desk } from "./desk";
import { said } from "./order";
import { t } from "./text";
import { w } from "./words";

interface ContactProps {
  desk: Desk;
  /** Whose reporter it is: a case, or one that was joined to it. */
  of: string;
  team: string;
}

/** How long what was told stands on the screen, in milliseconds: a desk is seen by others. */
const SHOWN_FOR = 120_000;

export function ReporterContact({ desk, of, team }: ContactProps) {
  const [asking, setAsking] = useState("");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const [found, setFound] = useState<Contact | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), [asking]);
  useEffect(() => {
    if (!found) return;
    const hide = setTimeout(() => setFound(null), SHOWN_FOR);
    return () => clearTimeout(hide);
  }, [found]);

  const ask = async (): Promise<void> => {
    if (!reason.trim() || busy) return;
    setBusy(true);
    try {
      const actor = desk.nameAs(desk.store.state.seat.role, team);
      const { contact } = await desk.client.contact(of, { id: asking, actor, reason: reason.trim() });
      setFound(contact);
      setAsking("");
      setReason("");
      setFailed("");
      if (desk.store.state.open) void desk.readCase(desk.store.state.open.id);
    } catch (error) {
      setFailed(w("contact.failed", { detail: said(error) }));
    }
    setBusy(false);
  };

  if (found) {
    const { name, phone } = found;
    return (
      <div class="contact" role="status">
        {name || phone ? (
          <dl>
            <dt>{w("contact.name")}</dt>
            <dd>{name || "–"}</dd>
            <dt>{w("contact.phone")}</dt>
            <dd>{phone || "–"}</dd>
          </dl>
        ) : (
          <p>{w("contact.none")}</p>
        )}
        <p class="hint">{w("contact.recorded")}</p>
        <button type="button" onClick={() => setFound(null)}>
          {w("contact.hide")}
        </button>
      </div>
    );
  }
  if (!asking) {
    return (
      <p class="contact">
        <span class="sub">{w("contact.hidden")}</span>
        <button type="button" onClick={() => setAsking(uuid())}>
          {w("contact.show")}
        </button>
      </p>
    );
  }
  return (
    <form
      class="contact order"
      aria-label={w("contact.show")}
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        setAsking("");
      }}
    >
      <p class="hint warn">{w("contact.warn")}</p>
      <label>
        <span>{w("contact.why")}</span>
        <textarea
          ref={field}
          rows={2}
          maxLength={1000}
          required
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <div class="buttons">
        <button type="submit" class="primary" disabled={!reason.trim() || busy}>
          {w("contact.ask")}
        </button>
        <button type="button" onClick={() => setAsking("")}>
          {t("do.cancel")}
        </button>
      </div>
      {failed && (
        <p class="notice problem" role="alert">
          {failed}
        </p>
      )}
    </form>
  );
}
