/** How one's own recent cases stand, or those that they were merged into: asked now and then while somebody looks: less than a stream on one bar of signal. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../shared/client";
import { OVER } from "../shared/states";
import type { Case } from "../shared/types";
import type { Entry } from "./outbox/entry";
import { leadingCase } from "./same/leading";

const EVERY_MS = 20_000;
const MOST = 10;

/** The delivered reports' case numbers, newest first. */
export function ownCases(entries: readonly Entry[]): string[] {
  return entries
    .flatMap((e) => (e.kind === "report" && e.receipt ? [{ at: e.createdAt, number: e.receipt.answer.case }] : []))
    .sort((a, b) => b.at - a.at)
    .map(({ number }) => number);
}

export function useOwnCases(client: Client, entries: readonly Entry[], looking: boolean): ReadonlyMap<string, Case> {
  const [known, setKnown] = useState<ReadonlyMap<string, Case>>(new Map());
  const wanted = ownCases(entries)
    .filter((number) => !OVER.has(known.get(number)?.state ?? "assigned"))
    .slice(0, MOST)
    .join(" ");
  useEffect(() => {
    if (!looking || !wanted) return;
    let gone = false;
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== "visible") return;
      for (const number of wanted.split(" ")) {
        const found = await leadingCase(client, number);
        if (gone) return;
        if (!found) continue;
        setKnown((before) => new Map(before).set(number, found));
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    const look = (): void => void ask();
    document.addEventListener("visibilitychange", look);
    return () => {
      gone = true;
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
    };
  }, [client, looking, wanted]);
  return known;
}
