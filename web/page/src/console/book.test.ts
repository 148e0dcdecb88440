import { describe, expect, it } from "vitest";
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
      closed_today: 4,
      received_today: 9,
    });
  });

  it("go on with each event of today", () => {
    const day = { received: 1, closed: 1 };
    const event = (action: "report" | "close" | "accept", at = "2026-11-23T01:00:00Z") => ({ action, at });
    expect(tally(day, event("report"), MOMENT.startOfDay)).toEqual({ received: 2, closed: 1 });
    expect(tally(day, event("close"), MOMENT.startOfDay)).toEqual({ received: 1, closed: 2 });
    expect(tally(day, event("accept"), MOMENT.startOfDay)).toEqual(day);
    expect(tally(day, event("report", "2026-11-22T15:00:00Z"), MOMENT.startOfDay)).toEqual(day);
  });
});
