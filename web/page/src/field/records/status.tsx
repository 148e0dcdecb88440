/** How an entry stands, in words: on its way, arrived, or refused with the reason and what to do. */

import { useEffect, useState } from "preact/hooks";
import { lang } from "../../shared/i18n";
import { span } from "../../shared/time";
import type { Problem } from "../../shared/types";
import type { Entry, EntryState } from "../outbox/entry";
import { t, type Word } from "../words";

const WORD: Record<EntryState, Word> = {
  draft: "draft",
  waiting: "waiting",
  sending: "sending",
  delivered: "delivered",
  rejected: "rejected",
};

export function StateChip({ state }: { state: EntryState }) {
  return <span class={`chip ${state}`}>{t(WORD[state])}</span>;
}

/** What is wrong, in a line. The server's own words where it gave any. */
export function problemText(problem: Problem): string {
  if (problem.code === "unreachable") return t("problemUnreachable");
  if (problem.code === "device_fault") return t("problemFault", { detail: problem.detail });
  const said = problem.detail || problem.title;
  if (problem.status >= 500 || problem.code.startsWith("http_"))
    return said ? `${t("problemBusy")}：${said}` : t("problemBusy");
  return said;
}

/** For an entry that waits: why, how often it was tried, when it goes again. Counts down by the second. */
export function Waiting({ entry, onHurry }: { entry: Entry; onHurry: () => void }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(tick);
  }, []);
  if (entry.state !== "waiting") return null;
  const wait = entry.notBefore - now;
  const parts = [
    entry.problem ? problemText(entry.problem) : "",
    entry.attempts > 0 ? t("attempts", { n: entry.attempts }) : "",
    wait > 999 ? t("nextTry", { span: span(wait, lang()) }) : "",
  ];
  return (
    <p class="waiting-line">
      <span>{parts.filter(Boolean).join(" · ")}</span>
      <button type="button" class="ghost" onClick={onHurry}>
        {t("tryNow")}
      </button>
    </p>
  );
}

export function Refusal({ problem }: { problem: Problem }) {
  return (
    <div class="refusal" role="alert">
      <p>{problemText(problem)}</p>
      {problem.hint && (
        <p>
          <strong>{t("whatToDo")}</strong>
          {problem.hint}
        </p>
      )}
    </div>
  );
}
