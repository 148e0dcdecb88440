/** The field page: three tabs under the thumb, one outbox behind them. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "../shared/client";
import { Demonstration } from "../shared/demonstration";
import { lang, onLang, setLang } from "../shared/i18n";
import type { District, Matters, Team, Unit } from "../shared/types";
import { uuid } from "../shared/uuid";
import { Banner } from "./notices/banner";
import { useNotices } from "./notices/use-notices";
import { askToPersist, type Field, openField } from "./outbox/browser";
import { blank, type DeedEntry, type Entry, type ReportEntry, reopened } from "./outbox/entry";
import { Records } from "./records/records";
import { Report } from "./report/report";
import { keepMe, keptMe, type Me } from "./tasks/me";
import { Tasks } from "./tasks/tasks";
import { useOwnCases } from "./use-live";
import { t, type Word } from "./words";

const TABS = { report: "tabReport", sent: "tabSent", tasks: "tabTasks" } as const satisfies Record<string, Word>;
type Tab = keyof typeof TABS;

const tabOf = (hash: string): Tab => (hash === "#sent" || hash === "#tasks" ? (hash.slice(1) as Tab) : "report");

/** What the page knows of the district; each part comes when it comes, from the network or from the last visit. */
interface Known {
  district: District | null;
  matters: Matters | null;
  teams: Team[];
  units: Unit[];
}

async function ask(client: Client, tell: (part: Partial<Known>) => void): Promise<void> {
  const quiet = <T,>(answer: Promise<T>, name: keyof Known): Promise<void> =>
    answer.then(
      (value) => tell({ [name]: value }),
      () => undefined,
    );
  await quiet(client.district(), "district");
  await quiet(client.matters(), "matters");
  await Promise.all([quiet(client.teams(), "teams"), quiet(client.units(), "units")]);
}

export function App({ client }: { client: Client }) {
  const [, redraw] = useState(0);
  const [tab, setTab] = useState<Tab>(tabOf(location.hash));
  const [online, setOnline] = useState(navigator.onLine);
  const [known, setKnown] = useState<Known>({ district: null, matters: null, teams: [], units: [] });
  const [entries, setEntries] = useState<Entry[]>([]);
  const [field, setField] = useState<Field | null>(null);
  const [entry, setEntry] = useState<ReportEntry>(() => blank(uuid(), Date.now()));
  const [said, setSaid] = useState("");
  const [me, setMe] = useState<Me>(keptMe);
  const heard = useNotices(client, me);
  const sayTimer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const say = useCallback((text: string) => {
    setSaid(text);
    clearTimeout(sayTimer.current);
    sayTimer.current = setTimeout(() => setSaid(""), 6000);
  }, []);

  useEffect(() => onLang(() => redraw((n) => n + 1)), []);
  useEffect(() => {
    const move = (): void => setTab(tabOf(location.hash));
    window.addEventListener("hashchange", move);
    return () => window.removeEventListener("hashchange", move);
  }, []);

  useEffect(() => {
    const learn = (): void => void ask(client, (part) => setKnown((before) => ({ ...before, ...part })));
    const change = (): void => {
      setOnline(navigator.onLine);
      if (navigator.onLine) learn();
    };
    learn();
    window.addEventListener("online", change);
    window.addEventListener("offline", change);
    // It may have changed since the page was first drawn.
    setOnline(navigator.onLine);
    return () => {
      window.removeEventListener("online", change);
      window.removeEventListener("offline", change);
    };
  }, [client]);

  // The store opens once. A report that was being written when the phone closed the page is taken up again.
  useEffect(() => {
    void openField(client, setEntries).then(async (opened) => {
      const drafts = (await opened.store.entries()).filter((e) => e.kind === "report" && e.state === "draft");
      const latest = drafts.sort((a, b) => b.createdAt - a.createdAt)[0];
      if (latest?.kind === "report") setEntry(latest);
      setField(opened);
    });
  }, [client]);

  const change = (how: (entry: ReportEntry) => ReportEntry): void => setEntry(how);
  const stored = entries.find((e) => e.id === entry.id);
  const written = Boolean(entry.draft.matter || entry.draft.text || entry.photos.length);
  const worthKeeping = written && (!stored || stored.state === "draft");
  useEffect(() => {
    if (field && worthKeeping) field.outbox.save(entry).catch(() => say(t("storageFull")));
  }, [field, entry, worthKeeping, say]);

  const enqueue = async (next: Entry): Promise<void> => {
    try {
      if (!field) throw new Error("no store");
      await field.outbox.enqueue(next);
      void askToPersist();
    } catch {
      say(t("storageFull"));
    }
  };

  const edit = async (id: string): Promise<void> => {
    const again = await field?.outbox.amend(id, (stored) => reopened(stored, uuid()));
    if (again?.kind !== "report") return;
    setEntry(again);
    location.hash = "#report";
  };

  const live = useOwnCases(client, entries, tab === "sent" || stored?.state === "delivered");
  const receipt = stored?.kind === "report" ? stored.receipt : null;
  const pending = entries.filter(
    (e) => e.state === "waiting" || e.state === "sending" || e.state === "rejected",
  ).length;
  const timeZone = known.district?.timezone ?? "Asia/Shanghai";
  const hurry = (): void => void field?.outbox.hurry();
  const schematic = (known.district?.layers ?? []).filter((layer) => !layer.real);

  return (
    <div class="phone">
      <header class="top">
        <div class="title">
          <h1>
            {known.district ? (lang() === "zh" ? known.district.name : known.district.name_en) : ""} {t("title")}
          </h1>
          <Demonstration district={known.district} />
        </div>
        <button type="button" class="ghost" onClick={() => setLang(lang() === "zh" ? "en" : "zh")}>
          {t("language")}
        </button>
      </header>
      {!online && (
        <p class="offline" role="status">
          {t("offline")}
        </p>
      )}
      <Banner heard={heard} />
      <main class={`tab-${tab}`}>
        <div hidden={tab !== "report"} class="pane">
          <Report
            {...{ client, entry }}
            sent={stored}
            district={known.district}
            matters={known.matters}
            live={receipt ? live.get(receipt.answer.case) : undefined}
            entries={entries}
            crews={known}
            onDeed={(deed) => void enqueue(deed)}
            onChange={change}
            onSend={enqueue}
            onAgain={() => setEntry(blank(uuid(), Date.now()))}
            onEdit={(id) => void edit(id)}
            onHurry={hurry}
            onSay={say}
          />
        </div>
        {tab === "sent" && (
          <div class="pane scroll">
            <Records
              {...{ client, live, timeZone }}
              district={known.district}
              crews={known}
              onDeed={(deed) => void enqueue(deed)}
              entries={entries.filter((e) => e.state !== "draft" || e.id !== entry.id)}
              matters={known.matters}
              onEdit={(id) => void edit(id)}
              onDiscard={(id) => void field?.outbox.discard(id)}
              onHurry={hurry}
            />
            {schematic.length > 0 && (
              <p class="quiet foot">
                {t("schematic", {
                  layers: schematic
                    .map((l) => (lang() === "zh" ? l.label : l.label_en))
                    .join(lang() === "zh" ? "、" : ", "),
                })}
              </p>
            )}
          </div>
        )}
        {tab === "tasks" && field && (
          <div class="pane scroll">
            <Tasks
              {...{ client, timeZone, entries }}
              store={field.store}
              district={known.district}
              teams={known.teams}
              units={known.units}
              me={me}
              onMe={(next) => {
                keepMe(next);
                setMe(next);
              }}
              onDeed={(deed: DeedEntry) => enqueue(deed)}
              onHurry={hurry}
              onSay={say}
            />
          </div>
        )}
      </main>
      {said && (
        <p class="said" role="alert">
          {said}
        </p>
      )}
      <nav class="tabs">
        {(Object.keys(TABS) as Tab[]).map((name) => (
          <a key={name} href={`#${name}`} aria-current={tab === name ? "page" : undefined}>
            {t(TABS[name])}
            {name === "sent" && pending > 0 && <span class="badge">{pending}</span>}
            {name === "tasks" && heard.notices.length > 0 && <span class="badge">{heard.notices.length}</span>}
          </a>
        ))}
      </nav>
    </div>
  );
}
