/** All cases this page knows of. What comes is merged by the case's own step, so order of arrival does not matter. */

import type { Case, CaseEvent, Counters } from "../shared/types";
import { flags, type Held, hold } from "./attention";
import type { Moment } from "./filter";

export class Book {
  private readonly cases = new Map<string, Held>();
  private readonly touched = new Set<string>();

  get size(): number {
    return this.cases.size;
  }

  get(id: string): Held | undefined {
    return this.cases.get(id);
  }

  all(): IterableIterator<Held> {
    return this.cases.values();
  }

  ids(): IterableIterator<string> {
    return this.cases.keys();
  }

  /** Takes a case unless a later step of it is known already; true when something is new. */
  merge(c: Case): boolean {
    const known = this.cases.get(c.case);
    if (known && known.c.seq >= c.seq) return false;
    this.cases.set(c.case, hold(c));
    this.touched.add(c.case);
    return true;
  }

  /** Ids changed since the last call. */
  drain(): string[] {
    const ids = [...this.touched];
    this.touched.clear();
    return ids;
  }

  /** Forget what is not in a fresh list (after a reset). Cases that came by the stream meanwhile are in `keep`. */
  retain(keep: ReadonlySet<string>): void {
    for (const id of this.cases.keys()) {
      if (!keep.has(id)) {
        this.cases.delete(id);
        this.touched.add(id);
      }
    }
  }
}

/**
 * Counters that tick: what depends on open cases is counted here, because the page holds them all and lateness comes
 * with time alone; the day's totals start from the server's figures and go on with each event told.
 */
export function count(book: Book, moment: Moment, day: DayTotals): Counters {
  const counters: Counters = {
    open: 0,
    waiting: 0,
    unclaimed: 0,
    late: 0,
    returned: 0,
    disputed: 0,
    closed_today: day.closed,
    received_today: day.received,
  };
  for (const held of book.all()) {
    const flag = flags(held, moment.now, moment.unclaimedAfter);
    if (!flag.open) continue;
    counters.open++;
    if (flag.waiting) counters.waiting++;
    if (flag.unclaimed) counters.unclaimed++;
    if (flag.late) counters.late++;
    if (flag.returned) counters.returned++;
    if (flag.disputed) counters.disputed++;
  }
  return counters;
}

export interface DayTotals {
  received: number;
  closed: number;
}

/**
 * The day's totals after one more event. Each is told once. `before`: the case as this page held it until then, null
 * where it held none; what was closed today and is opened again is not closed today.
 */
export function tally(
  day: DayTotals,
  event: Pick<CaseEvent, "action" | "at">,
  startOfDay: number,
  before: Held | null,
): DayTotals {
  if (Date.parse(event.at) < startOfDay) return day;
  if (event.action === "report") return { ...day, received: day.received + 1 };
  if (event.action === "close") return { ...day, closed: day.closed + 1 };
  const undone = event.action === "reopen" && before?.c.state === "closed" && before.changed >= startOfDay;
  return undone ? { ...day, closed: Math.max(0, day.closed - 1) } : day;
}
