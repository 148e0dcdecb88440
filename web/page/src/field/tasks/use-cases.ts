/** The open cases of one team, and of one unit where it goes for another: the list, kept on the phone, and told anew by the live stream while the page is looked at. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import type { Case, CaseEvent } from "../../shared/types";
import { lineOf } from "../line";
import type { Store } from "../outbox/store";
import { afterEvent, casesOf } from "./list";
import type { Me } from "./me";

export interface TeamCases {
  cases: Case[];
  /** Epoch milliseconds of the list; null while there is none. */
  asOf: number | null;
  live: boolean;
}

const NONE: TeamCases = { cases: [], asOf: null, live: false };

export function useTeamCases(client: Client, store: Store, { team, unit }: Me): TeamCases {
  const [state, setState] = useState<TeamCases>(NONE);

  useEffect(() => {
    if (!team) return;
    let gone = false;
    const me = { team, unit };
    const key = `cases:${team} ${unit}`.trim();
    setState(NONE);

    /** For each reading under way, what was told since it began: its answer may be older. */
    const readings = new Set<CaseEvent[]>();
    let asked = 0;
    let shown = 0;
    const load = async (): Promise<void> => {
      const since: CaseEvent[] = [];
      readings.add(since);
      asked += 1;
      const mine = asked;
      try {
        const read = await casesOf(client, me).finally(() => readings.delete(since));
        // Answers may overtake each other.
        if (gone || mine < shown) return;
        shown = mine;
        const cases = since.reduce((list, event) => afterEvent(list, event, me), read);
        setState((before) => ({ ...before, cases, asOf: Date.now() }));
        await store.keep(key, cases, Date.now());
      } catch {
        const kept = await store.kept<Case[]>(key);
        if (!gone && kept)
          setState((before) => (before.asOf ? before : { cases: kept.value, asOf: kept.at, live: false }));
      }
    };

    void load();
    const stop = lineOf(client.base).listen({
      onEvent: (event) => {
        for (const since of readings) since.push(event);
        setState((s) => ({ ...s, cases: afterEvent(s.cases, event, me), asOf: Date.now() }));
      },
      onReset: () => void load(),
      onLink: (link) => {
        setState((s) => ({ ...s, live: link === "open" }));
        // What happened between the list and the stream is in neither: ask once the stream stands.
        if (link === "open") void load();
      },
    });
    return () => {
      gone = true;
      stop();
    };
  }, [client, store, team, unit]);

  return state;
}
