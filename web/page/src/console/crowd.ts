/** The cases that the map shows, kept by look: the order of drawing, and of being hit, needs no sorting. */

import { type Held, LOOKS, type Look, look } from "./attention";
import type { Book } from "./book";
import type { Moment } from "./filter";
import { left, type Spot, spot, top, type View } from "./place";

export class Crowd {
  private readonly byLook = new Map<Look, Map<string, Spot>>(LOOKS.map((one) => [one, new Map()]));
  private readonly looks = new Map<string, Look>();

  get size(): number {
    return this.looks.size;
  }

  has(id: string): boolean {
    return this.looks.has(id);
  }

  spotOf(id: string): Spot | undefined {
    const now = this.looks.get(id);
    return now && this.byLook.get(now)?.get(id);
  }

  /** The cases of one look. */
  of(one: Look): ReadonlyMap<string, Spot> {
    return this.byLook.get(one) ?? new Map();
  }

  /** Looks again at these cases (all, when none are named). Says which came or changed, and whether any went. */
  update(
    ids: Iterable<string> | null,
    book: Book,
    moment: Moment,
    test: (held: Held) => boolean,
  ): { came: string[]; went: boolean } {
    const came: string[] = [];
    let went = false;
    const again = ids ?? new Set([...this.looks.keys(), ...book.ids()]);
    for (const id of again) {
      const held = book.get(id);
      const now = held && test(held) ? look(held, moment.now, moment.unclaimedAfter) : undefined;
      const before = this.looks.get(id);
      if (now === before) continue;
      if (before) this.byLook.get(before)?.delete(id);
      if (held && now) {
        this.looks.set(id, now);
        this.byLook.get(now)?.set(id, spot(held.c.lon, held.c.lat));
        came.push(id);
      } else {
        this.looks.delete(id);
        went = true;
      }
    }
    return { came, went };
  }

  /** The case under a point of the screen: the most pressing first, then the nearest. `size`: of a look's sign. */
  hit(view: View, x: number, y: number, size: (one: Look) => number): string | null {
    for (const one of LOOKS) {
      let best: string | null = null;
      let least = size(one) / 2 + 4;
      for (const [id, at] of this.of(one)) {
        const away = Math.hypot(left(view, at) - x, top(view, at) - y);
        if (away < least) {
          least = away;
          best = id;
        }
      }
      if (best) return best;
    }
    return null;
  }
}
