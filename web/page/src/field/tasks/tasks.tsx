/** The team's side: who are you, what is open, nearest first. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import { lang, nameOf } from "../../shared/i18n";
import { clock, distance } from "../../shared/time";
import type { District, Team, TeamKind, Unit } from "../../shared/types";
import type { DeedEntry, Entry } from "../outbox/entry";
import type { Store } from "../outbox/store";
import type { LonLat } from "../position/place";
import { onMap } from "../position/place";
import { keptDatum, useDevicePosition } from "../position/watch";
import { CaseState } from "../records/receipt";
import { StateChip } from "../records/status";
import { t, type Word } from "../words";
import { Due } from "./due";
import { tasks as inOrder, isOurs, type Task } from "./list";
import type { Me } from "./me";
import { TaskSheet } from "./sheet";
import { useTeamCases } from "./use-cases";

const KINDS: [TeamKind, Word][] = [
  ["township", "kindTownship"],
  ["water", "kindWater"],
  ["joint", "kindJoint"],
  ["specialist", "kindSpecialist"],
];
export interface TasksProps {
  client: Client;
  store: Store;
  district: District | null;
  teams: Team[];
  units: Unit[];
  entries: Entry[];
  timeZone: string;
  me: Me;
  onMe: (me: Me) => void;
  onDeed: (deed: DeedEntry) => Promise<void>;
  onHurry: () => void;
  onSay: (text: string) => void;
}

export function Tasks(props: TasksProps) {
  const { client, store, district, teams, units, entries, timeZone, me, onMe: choose, onDeed, onHurry, onSay } = props;
  const [open, setOpen] = useState<string | null>(null);
  const [now, setNow] = useState(Date.now());
  const device = useDevicePosition(keptDatum(), 0);
  const { cases, asOf, live } = useTeamCases(client, store, me);
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(tick);
  }, []);

  const team = teams.find((one) => one.code === me.team);
  if (!team) return <TeamChoice teams={teams} onChoose={(code) => choose({ team: code, unit: "" })} />;

  const here: LonLat | null = device.fix && onMap(device.fix);
  const list = inOrder(cases, entries, here ?? [team.base.lon, team.base.lat], me.unit);
  const opened = list.find((task) => task.case.case === open);
  const unit = units.find((one) => one.code === me.unit);
  if (opened) {
    const actor = unit ? nameOf(unit) : nameOf(team);
    return (
      <TaskSheet
        {...{ client, district, teams, timeZone, onDeed, onHurry, onSay, actor, now }}
        key={opened.case.case}
        task={opened}
        unit={me.unit}
        onClose={() => setOpen(null)}
      />
    );
  }

  return (
    <div class="tasks">
      <div class="tasks-head">
        <h2>{nameOf(team)}</h2>
        <button type="button" class="ghost" onClick={() => choose({ team: "", unit: "" })}>
          {t("teamChange")}
        </button>
        <label>
          <span class="quiet">{t("unitChoose")}</span>
          <select value={me.unit} onChange={(event) => choose({ team: me.team, unit: event.currentTarget.value })}>
            <option value="">{t("unitAny")}</option>
            {units
              .filter((one) => one.team === me.team)
              .map((one) => (
                <option key={one.code} value={one.code}>
                  {nameOf(one)}
                </option>
              ))}
          </select>
        </label>
        <p class="quiet" role="status">
          {t("tasksOpen", { n: list.filter(({ case: c }) => isOurs(c.state)).length })} ·{" "}
          {live ? t("tasksLive") : asOf ? t("tasksAsOf", { at: clock(timeZone).time(asOf) }) : ""}
        </p>
      </div>
      {list.length === 0 && asOf !== null && <p class="empty">{t("tasksEmpty")}</p>}
      <ul class="task-list">
        {list.map((task) => (
          <li key={task.case.case}>
            <TaskRow {...{ task, now }} fromBase={!here} onOpen={() => setOpen(task.case.case)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function TeamChoice({ teams, onChoose }: { teams: Team[]; onChoose: (code: string) => void }) {
  return (
    <div class="tasks">
      <h2>{t("teamChoose")}</h2>
      {KINDS.map(([kind, word]) => {
        const some = teams.filter((team) => team.kind === kind);
        return (
          some.length > 0 && (
            <section key={kind}>
              <h3>{t(word)}</h3>
              <div class="grid2">
                {some.map((team) => (
                  <button type="button" class="big" key={team.code} onClick={() => onChoose(team.code)}>
                    {nameOf(team)}
                  </button>
                ))}
              </div>
            </section>
          )
        );
      })}
    </div>
  );
}

interface TaskRowProps {
  task: Task;
  now: number;
  fromBase: boolean;
  onOpen: () => void;
}

function TaskRow({ task, now, fromBase, onOpen }: TaskRowProps) {
  const c = task.case;
  return (
    <button type="button" class={`task ${isOurs(c.state) ? "ours" : "theirs"}`} data-case={c.case} onClick={onOpen}>
      <span class="task-title">
        <strong>{nameOf({ name: c.matter_name, name_en: c.matter_name_en })}</strong>
        {c.urgency === 1 && <em class="urgent">{t("urgency1")}</em>}
        <CaseState state={c.state} />
      </span>
      <span class="task-facts">
        {task.metres !== null && <span>{t(fromBase ? "awayBase" : "away", { d: distance(task.metres, lang()) })}</span>}
        {isOurs(c.state) && c.due_at && <Due at={c.due_at} now={now} />}
        {task.pending.map((entry) => (
          <StateChip key={entry.id} state={entry.state} />
        ))}
      </span>
      {c.text && <span class="task-text">{c.text}</span>}
    </button>
  );
}
