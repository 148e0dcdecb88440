/** The bell on the bar: how many notices were not read, the newest for a moment, and the list of all. */

import { useEffect, useRef, useState } from "preact/hooks";
import { nameOf } from "../../shared/i18n";
import { clock } from "../../shared/time";
import type { Desk } from "../desk";
import type { Notice } from "./notices";
import "./notices.css";
import { t } from "./words";

/** How long the newest stands beside the bell. */
const SHOWN_FOR = 8000;

export function Bell({ desk }: { desk: Desk }) {
  const { notices } = desk;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const newest = notices.all[0];
  const [fresh, setFresh] = useState<Notice | null>(null);
  const seen = useRef(newest?.id ?? 0);
  useEffect(() => {
    if (!newest || newest.id <= seen.current) return;
    seen.current = newest.id;
    setFresh(newest);
    const timer = setTimeout(() => setFresh(null), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [newest?.id]);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !root.current?.contains(event.target as Node))
        setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", away);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", away);
    };
  }, [open]);

  const go = (one: Notice): void => {
    notices.read(one.id);
    setOpen(false);
    setFresh(null);
    desk.openCase(one.case);
  };
  const { unread } = notices;
  return (
    <div class="bell" ref={root}>
      <button
        type="button"
        class="plain"
        aria-expanded={open}
        aria-label={unread ? t("unread", { n: unread }) : t("notices")}
        title={t("notices")}
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <path
            d="M8 1.5a4 4 0 0 0-4 4v3L2.5 11.5h11L12 8.5v-3a4 4 0 0 0-4-4ZM6.5 13a1.5 1.5 0 0 0 3 0"
            fill="none"
            stroke="currentColor"
            stroke-width="1.4"
            stroke-linejoin="round"
          />
        </svg>
        {unread > 0 && <span class="unread">{unread > 99 ? "99+" : unread}</span>}
      </button>
      <div class="bell-fresh" role="status">
        {fresh && !open && (
          <button type="button" class={`notice-line ${fresh.kind}`} onClick={() => go(fresh)}>
            <Line desk={desk} one={fresh} />
          </button>
        )}
      </div>
      {open && (
        <section class="bell-list" aria-label={t("notices")}>
          <header>
            <h2>{t("notices")}</h2>
            <button type="button" disabled={unread === 0} onClick={() => notices.read()}>
              {t("readAll")}
            </button>
          </header>
          {notices.all.length === 0 && <p class="empty">{t("none")}</p>}
          <ul>
            {notices.all.map((one) => (
              <li key={one.id}>
                <button
                  type="button"
                  class={`notice-line ${one.kind}${one.read ? "" : " new"}`}
                  data-notice={one.case}
                  onClick={() => go(one)}
                >
                  <Line desk={desk} one={one} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Line({ desk, one }: { desk: Desk; one: Notice }) {
  const { teams, district } = desk.store.state;
  const team = teams.get(one.team);
  return (
    <>
      <strong>{t(one.kind, { team: team ? nameOf(team) : one.team })}</strong>
      <span>
        {nameOf(one.matter)} · {one.case} · {clock(district?.timezone ?? "Asia/Shanghai").time(one.at)}
      </span>
    </>
  );
}
