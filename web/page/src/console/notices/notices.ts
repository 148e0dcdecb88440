/** The notices of this page: what came, what was read. Kept over a reload, not over the day's end of the browser. */

import type { Case, CaseEvent } from "../../shared/types";
import { flags, type Held } from "../attention";
import { heed, type Told, told } from "./heed";

export interface Notice extends Told {
  id: number;
  read: boolean;
}

const KEPT = "onegrid.notices";
/** More than these are of yesterday. */
export const MOST = 100;

export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class Notices {
  private list: readonly Notice[];
  private next: number;
  /** Steps that this page took itself: nobody is told of what they did. */
  private readonly ours = new Set<string>();
  /** Cases that are soon late, each by its due moment: told of once, and not of those found so. */
  private soon: Map<string, number> | null = null;

  constructor(
    private readonly shelf: Shelf | null,
    private readonly changed: () => void,
  ) {
    this.list = kept(shelf);
    this.next = Math.max(0, ...this.list.map(({ id }) => id)) + 1;
  }

  /** Newest first. */
  get all(): readonly Notice[] {
    return this.list;
  }

  get unread(): number {
    return this.list.filter(({ read }) => !read).length;
  }

  /** An event, with the case as it was before it. */
  hear(event: CaseEvent, before: Case | null, team: string): void {
    const kind = heed(event, before, team);
    if (kind && !this.ours.has(step(event.case.case, event.seq))) this.add(told(event, kind));
  }

  /** A step that was taken here; its event may have come already. */
  own({ case: number, seq }: Pick<Case, "case" | "seq">): void {
    this.ours.add(step(number, seq));
    if (this.list.some((one) => one.case === number && one.seq === seq && one.kind !== "soon"))
      this.put(this.list.filter((one) => one.case !== number || one.seq !== seq || one.kind === "soon"));
  }

  /** Looks at the clock; `team`: of which team, empty for all. */
  watch(cases: Iterable<Held>, now: number, team: string): void {
    const before = this.soon;
    const soon = new Map<string, number>();
    for (const held of cases) {
      if (!flags(held, now, Number.POSITIVE_INFINITY).warned) continue;
      const { c, due } = held;
      soon.set(c.case, due);
      if (!before || before.get(c.case) === due || (team && c.team !== team)) continue;
      const matter = { name: c.matter_name, name_en: c.matter_name_en };
      this.add({ kind: "soon", case: c.case, seq: c.seq, matter, team: c.team, at: now });
    }
    this.soon = soon;
  }

  /** One was looked at; without an id all were. */
  read(id?: number): void {
    this.put(this.list.map((one) => (id === undefined || one.id === id ? { ...one, read: true } : one)));
  }

  private add(one: Told): void {
    this.put([{ ...one, id: this.next++, read: false }, ...this.list].slice(0, MOST));
  }

  private put(list: readonly Notice[]): void {
    this.list = list;
    try {
      this.shelf?.setItem(KEPT, JSON.stringify(list));
    } catch {
      // A browser that keeps nothing still tells.
    }
    this.changed();
  }
}

const step = (number: string, seq: number): string => `${number} ${seq}`;

function kept(shelf: Shelf | null): readonly Notice[] {
  try {
    const found: unknown = JSON.parse(shelf?.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? (found as Notice[]) : [];
  } catch {
    return [];
  }
}
