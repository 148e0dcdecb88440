/** The open cases of one team: the list, kept on the phone, and told anew by the live stream while the page is looked at. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import type { Case } from "../../shared/types";
import { lineOf } from "../line";
import type { Store } from "../outbox/store";
import { afterEvent } from "./list";

export interface TeamCases {
  cases: Case[];
  /** Epoch milliseconds of the list; null while there is none. */
  asOf: number | null;
  live: boolean;
}

const NONE: TeamCases = { cases: [], asOf: null, live: false };

export function useTeamCases(client: Client, store: Store, team: string): TeamCases {
  const [state, setState] = useState<TeamCases>(NONE);

  useEffect(() => {
    if (!team) return;
    let gone = false;
    const key = `cases:${team}`;
    setState(NONE);

    const load = async (): Promise<void> => {
      try {
        const cases: Case[] = [];
        await client.everyCase({ team, open: true, limit: 200 }, (items) => cases.push(...items));
        if (gone) return;
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
      onEvent: (event) => setState((s) => ({ ...s, cases: afterEvent(s.cases, event, team), asOf: Date.now() })),
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
  }, [client, store, team]);

  return state;
}
