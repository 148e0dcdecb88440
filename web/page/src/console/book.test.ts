import { describe, expect, it } from "vitest";
import { hold } from "./attention";
import { Book, count, tally } from "./book";
import type { Moment } from "./filter";
import { sample } from "./sample.test-data";

const MOMENT: Moment = {
  now: Date.parse("2026-11-23T01:10:00Z"),
  startOfDay: Date.parse("2026-11-22T16:00:00Z"),
  unclaimedAfter: 1_800_000,
};

describe("the book of cases", () => {
  it("keeps the latest step whatever order they come in", () => {
    const steps = [1, 2, 3, 4].map((seq) => sample({ seq, state: seq === 4 ? "handled" : "accepted" }));
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const book = new Book();
      for (const i of order) book.merge(steps[i] ?? sample());
      expect(book.get(sample().case)?.c.seq).toBe(4);
      expect(book.size).toBe(1);
    }
  });

  it("says whether something was new, and which cases to draw again, once", () => {
    const book = new Book();
    expect(book.merge(sample({ seq: 2 }))).toBe(true);
    expect(book.merge(sample({ seq: 2 }))).toBe(false);
    expect(book.merge(sample({ seq: 1 }))).toBe(false);
    expect(book.drain()).toEqual([sample().case]);
    expect(book.drain()).toEqual([]);
  });

  it("forgets what a fresh list does not hold, and draws it away", () => {
    const book = new Book();
    book.merge(sample({ case: "a" }));
    book.merge(sample({ case: "b" }));
    book.drain();
    book.retain(new Set(["b"]));
    expect(book.get("a")).toBeUndefined();
    expect(book.drain()).toEqual(["a"]);
  });
});

describe("the counters", () => {
  it("count each open case under all that is true of it", () => {
    const book = new Book();
    book.merge(sample({ case: "a" }));
    book.merge(sample({ case: "b", unit: null, due_at: "2026-11-23T01:05:00Z" }));
    book.merge(sample({ case: "c", state: "returned", unit: null }));
    book.merge(sample({ case: "d", state: "closed" }));
    expect(count(book, MOMENT, { received: 9, closed: 4 })).toEqual({
      open: 3,
      waiting: 1,
      unclaimed: 0,
      late: 1,
      returned: 1,
      disputed: 0,
      closed_today: 4,
      received_today: 9,
    });
  });

  it("go on with each event of today", () => {
    const day = { received: 1, closed: 1 };
    const event = (action: "report" | "close" | "accept", at = "2026-11-23T01:00:00Z") => ({ action, at });
    expect(tally(day, event("report"), MOMENT.startOfDay, null)).toEqual({ received: 2, closed: 1 });
    expect(tally(day, event("close"), MOMENT.startOfDay, null)).toEqual({ received: 1, closed: 2 });
    expect(tally(day, event("accept"), MOMENT.startOfDay, null)).toEqual(day);
    expect(tally(day, event("report", "2026-11-22T15:00:00Z"), MOMENT.startOfDay, null)).toEqual(day);
  });

  it("take back what was closed today and is opened again, and nothing else", () => {
    const day = { received: 0, closed: 2 };
    const event = { action: "reopen", at: "2026-11-23T02:00:00Z" } as const;
    const before = (patch: Parameters<typeof sample>[0]) => hold(sample(patch));
    const closed = (before_: ReturnType<typeof hold> | null) => tally(day, event, MOMENT.startOfDay, before_).closed;
    expect(closed(before({ state: "closed", changed_at: "2026-11-23T01:00:00Z" }))).toBe(1);
    expect(closed(before({ state: "closed", changed_at: "2026-11-22T10:00:00Z" }))).toBe(2);
    expect(closed(before({ state: "merged" }))).toBe(2);
    expect(closed(null)).toBe(2);
  });
});
