import { describe, expect, it } from "vitest";
import type { Case } from "../shared/types";
import { byAttention, byNewest, flags, hold, look, type Row } from "./attention";
import { sample } from "./sample.test-data";

const MINUTE = 60_000;
const NINE = Date.parse("2026-11-23T01:00:00Z");
const CLAIM = 30 * MINUTE;
const at = (minutes: number): string => new Date(NINE + minutes * MINUTE).toISOString();
const row = (patch: Partial<Case>, now = NINE): Row => {
  const held = hold(sample(patch));
  return { held, look: look(held, now, CLAIM) };
};

describe("what asks for an eye", () => {
  it("comes with time alone: assigned, then unclaimed, then late", () => {
    const held = hold(sample({ due_at: at(240) }));
    expect(look(held, NINE + 30 * MINUTE, CLAIM)).toBe("assigned");
    expect(look(held, NINE + 30 * MINUTE + 1, CLAIM)).toBe("unclaimed");
    expect(look(held, NINE + 240 * MINUTE, CLAIM)).toBe("unclaimed");
    expect(look(held, NINE + 240 * MINUTE + 1, CLAIM)).toBe("late");
  });

  it("stops the clock when a case is handled or closed, and not when it is returned", () => {
    const later = NINE + 1000 * MINUTE;
    expect(look(hold(sample({ state: "handled" })), later, CLAIM)).toBe("handled");
    expect(look(hold(sample({ state: "closed" })), later, CLAIM)).toBe("closed");
    expect(look(hold(sample({ state: "returned", unit: null })), later, CLAIM)).toBe("late");
    expect(look(hold(sample({ state: "returned", unit: null })), NINE, CLAIM)).toBe("returned");
  });

  it("counts a case under all that is true of it", () => {
    const held = hold(sample({ unit: null, due_at: at(10) }));
    expect(flags(held, NINE + 60 * MINUTE, CLAIM)).toEqual({
      open: true,
      runs: true,
      warned: false,
      late: true,
      returned: false,
      disputed: false,
      waiting: true,
      unclaimed: true,
      unsure: false,
    });
  });

  it("warns from the moment that the server says until it is late, and of nothing that does not run", () => {
    const held = hold(sample({ warn_at: at(192), due_at: at(240) }));
    const warned = (minutes: number): boolean => flags(held, NINE + minutes * MINUTE, CLAIM).warned;
    expect([191, 192, 240, 241].map(warned)).toEqual([false, true, true, false]);
    for (const patch of [{ state: "suspended" }, { due_at: null, warn_at: null }, { state: "handled" }] as const) {
      const still = flags(hold(sample({ warn_at: at(1), due_at: at(2), ...patch })), NINE + 9 * MINUTE, CLAIM);
      expect([still.runs, still.warned, still.late]).toEqual([false, false, false]);
    }
  });

  it("does not wait for a unit once somebody is there or it was sent back", () => {
    for (const state of ["on_scene", "handled", "returned", "closed"] as const) {
      expect(flags(hold(sample({ state, unit: null })), NINE, CLAIM).waiting).toBe(false);
    }
  });
});

describe("the queue's order", () => {
  it("puts late, returned, waiting, unclaimed before what is under way, and closed last", () => {
    const now = NINE + 40 * MINUTE;
    const rows = [
      row({ case: "closed", state: "closed" }, now),
      row({ case: "new", received_at: at(39), changed_at: at(39) }, now),
      row({ case: "unclaimed" }, now),
      row({ case: "waiting", unit: null, changed_at: at(39) }, now),
      row({ case: "returned", state: "returned", unit: null }, now),
      row({ case: "late", due_at: at(1) }, now),
      row({ case: "handled", state: "handled", received_at: at(20) }, now),
    ].sort(byAttention);
    expect(rows.map((one) => one.held.c.case)).toEqual([
      "late",
      "returned",
      "waiting",
      "unclaimed",
      "new",
      "handled",
      "closed",
    ]);
  });

  it("puts the longest overdue first, and among the waiting the most urgent", () => {
    const now = NINE + 60 * MINUTE;
    const late = [row({ case: "a", due_at: at(30) }, now), row({ case: "b", due_at: at(5) }, now)].sort(byAttention);
    expect(late.map((one) => one.held.c.case)).toEqual(["b", "a"]);
    const waiting = [
      row({ case: "old", unit: null, urgency: 3, received_at: at(0) }, now),
      row({ case: "urgent", unit: null, urgency: 1, received_at: at(50) }, now),
    ].sort(byAttention);
    expect(waiting.map((one) => one.held.c.case)).toEqual(["urgent", "old"]);
  });

  it("is a total order: the same rows in any order come out the same", () => {
    const states = ["assigned", "accepted", "on_scene", "handled", "closed", "returned"] as const;
    const rows = Array.from({ length: 60 }, (_, i) =>
      row(
        {
          case: String(1000 + i),
          state: states[i % 6] ?? "assigned",
          unit: i % 4 ? "U" : null,
          urgency: (i % 3) + 1,
          received_at: at(i % 5),
          due_at: at((i * 7) % 90),
        },
        NINE + 45 * MINUTE,
      ),
    );
    const once = [...rows].sort(byAttention);
    const again = [...rows].reverse().sort(byAttention);
    expect(again.map((one) => one.held.c.case)).toEqual(once.map((one) => one.held.c.case));
    const newest = [...rows].sort(byNewest);
    expect(
      [...rows]
        .reverse()
        .sort(byNewest)
        .map((one) => one.held.c.case),
    ).toEqual(newest.map((one) => one.held.c.case));
  });
});
