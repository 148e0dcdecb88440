/** What concerns the crew, whichever tab is open. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import type { Case, CaseEvent } from "../../shared/types";
import { lineOf } from "../line";
import { casesOf } from "../tasks/list";
import type { Me } from "../tasks/me";
import { afterEvent, heed, type Kind, missed } from "./heed";

export interface Notice {
  kind: Kind;
  case: Case;
}

export interface Heard {
  /** Oldest first; one of each case. */
  notices: readonly Notice[];
  /** The first was read. */
  next(): void;
  clear(): void;
}

/** A case that is told of again replaces what was told of it before. */
export function withNotice(list: readonly Notice[], one: Notice): Notice[] {
  return [...list.filter((other) => other.case.case !== one.case.case), one];
}

export function useNotices(client: Client, { team, unit }: Me): Heard {
  const [notices, setNotices] = useState<readonly Notice[]>([]);
  useEffect(() => {
    setNotices([]);
    if (!team) return;
    let gone = false;
    // Until the list is there nobody can say what is new.
    let known: Map<string, Case> | null = null;
    let early: CaseEvent[] = [];

    const tell = (kind: Kind, c: Case): void => {
      setNotices((list) => withNotice(list, { kind, case: c }));
      if (kind === "given" || kind === "back") navigator.vibrate?.(200);
    };
    const hear = (event: CaseEvent): void => {
      if (!known) {
        early.push(event);
        return;
      }
      const before = known.get(event.case.case) ?? null;
      if (before && before.seq >= event.case.seq) return;
      const kind = heed(event, before, { team, unit });
      known = afterEvent(known, event, { team, unit });
      if (!kind) return;
      tell(kind, event.case);
    };
    const load = async (): Promise<void> => {
      let cases: Case[];
      try {
        cases = await casesOf(client, { team, unit });
      } catch {
        return; // the line says when it is worth another try
      }
      if (gone) return;
      const now = new Map(cases.map((c) => [c.case, c]));
      if (known) for (const [kind, c] of missed(known, now, { team, unit })) tell(kind, c);
      known = now;
      const waited = early;
      early = [];
      waited.forEach(hear);
    };
    const stop = lineOf(client.base).listen({
      onEvent: hear,
      onReset: () => void load(),
      onLink: (link) => {
        if (link === "open") void load();
      },
    });
    return () => {
      gone = true;
      stop();
    };
  }, [client, team, unit]);
  return {
    notices,
    next: () => setNotices((list) => list.slice(1)),
    clear: () => setNotices([]),
  };
}
