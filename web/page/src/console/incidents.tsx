/** Incidents beside the map: read again as cases come and go; the one that is chosen with its cases. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Incident } from "../shared/duplicates";
import { lang, nameOf } from "../shared/i18n";
import { clock } from "../shared/time";
import type { Desk } from "./desk";
import { t } from "./same-words";
import { t as says } from "./text";

/** After something came, so that a burst is read once; and without anything, as an incident may end by time alone. */
const SOON_MS = 1_500;
const EVERY_MS = 60_000;

export function Incidents({ desk }: { desk: Desk }) {
  const [incidents, setIncidents] = useState<readonly Incident[]>([]);
  const [chosen, setChosen] = useState("");
  const { counters, district, loading } = desk.store.state;
  const isReady = loading.kind === "ready";
  const { map } = desk;
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const asked = useRef(0);
  const shown = useRef(0);

  const read = (): void => {
    asked.current += 1;
    const mine = asked.current;
    desk.client.incidents().then(
      ({ items }) => {
        // Answers may overtake each other.
        if (mine < shown.current) return;
        shown.current = mine;
        setIncidents(items);
      },
      () => undefined,
    );
  };
  // What comes, is merged, is done: each changes what is open, or how many came.
  const moved = `${counters?.open} ${counters?.received_today}`;
  useEffect(() => {
    if (!isReady) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      read();
    }, SOON_MS);
  }, [isReady, moved]);
  useEffect(() => {
    const every = setInterval(read, EVERY_MS);
    return () => {
      clearInterval(every);
      clearTimeout(timer.current);
    };
  }, []);
  useEffect(() => map?.incidents.show(incidents, setChosen), [map, incidents, lang()]);

  const one = incidents.find(({ incident }) => incident === chosen);
  if (!one) return null;
  const time = clock(district?.timezone ?? "Asia/Shanghai");
  return (
    <section class="map-box incident-box" aria-label={t("incident.title", { name: nameOf(one) })}>
      <h3>{t("incident.title", { name: nameOf(one) })}</h3>
      <p>{t("incident.count", { open: one.open, cases: one.cases.length, reports: one.reports })}</p>
      <p class="quiet">{t("incident.span", { from: time.stamp(one.first_seen), to: time.stamp(one.last_seen) })}</p>
      <ul>
        {one.cases.map((number) => {
          const held = desk.store.book.get(number)?.c;
          return (
            <li key={number}>
              <button type="button" class="inline" onClick={() => desk.openCase(number)}>
                {number}
              </button>{" "}
              <span>{held ? says(`state.${held.state}`) : t("incident.unread")}</span>
            </li>
          );
        })}
      </ul>
      <button type="button" onClick={() => setChosen("")}>
        {t("incident.shut")}
      </button>
    </section>
  );
}
