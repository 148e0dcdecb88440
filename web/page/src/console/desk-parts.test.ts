import { describe, expect, it } from "vitest";
import type { Unit } from "../shared/types";
import { Book } from "./book";
import { Crowd } from "./crowd";
import { wish } from "./keyboard";
import { sizeOf } from "./overlay";
import { between, left, spot, top, viewAt } from "./place";
import { sample } from "./sample.test-data";
import { inRows } from "./standing";
import { en, zh } from "./text";
import { rowsInView, scrollTo } from "./virtual";

const press = { key: "", typing: false, onControl: false, modified: false };

describe("words", () => {
  const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();

  it("are the same in both languages, place by place, and none is empty", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) {
      expect(en[key], key).not.toBe("");
      expect(places(en[key]), key).toEqual(places(zh[key]));
    }
  });
});

describe("keys", () => {
  it("move, open and close", () => {
    expect(wish({ ...press, key: "j" })).toBe("next");
    expect(wish({ ...press, key: "ArrowUp" })).toBe("previous");
    expect(wish({ ...press, key: "Enter" })).toBe("open");
    expect(wish({ ...press, key: "/" })).toBe("filter");
    expect(wish({ ...press, key: "?" })).toBe("help");
  });

  it("leave typing, buttons and the browser's own alone", () => {
    expect(wish({ ...press, key: "j", typing: true })).toBeNull();
    expect(wish({ ...press, key: "Escape", typing: true })).toBe("close");
    expect(wish({ ...press, key: "Enter", onControl: true })).toBeNull();
    expect(wish({ ...press, key: "k", modified: true })).toBeNull();
  });
});

describe("a long list", () => {
  it("draws only what is in view, and a little more", () => {
    expect(rowsInView(5000, 60, 0, 600, 4)).toEqual({ first: 0, end: 14 });
    expect(rowsInView(5000, 60, 6000, 600, 4)).toEqual({ first: 96, end: 114 });
    expect(rowsInView(3, 60, 0, 600)).toEqual({ first: 0, end: 3 });
    expect(rowsInView(0, 60, 500, 600)).toEqual({ first: 0, end: 0 });
  });

  it("scrolls no further than it must", () => {
    expect(scrollTo(3, 60, 0, 600)).toBe(0);
    expect(scrollTo(12, 60, 0, 600)).toBe(180);
    expect(scrollTo(2, 60, 600, 600)).toBe(120);
  });
});

describe("the map above the map", () => {
  const view = viewAt(118.9, 31.33, 11, 1000, 800);
  const MOMENT = { now: Date.parse("2026-11-23T01:10:00Z"), startOfDay: 0, unclaimedAfter: 1_800_000 };

  it("puts the middle in the middle, east to the right, north up, and one zoom twice as far", () => {
    const middle = spot(118.9, 31.33);
    expect([left(view, middle), top(view, middle)]).toEqual([500, 400]);
    const away = spot(118.95, 31.36);
    expect(left(view, away)).toBeCloseTo(500 + (0.05 / 360) * 512 * 2 ** 11, 6);
    expect(top(view, away)).toBeLessThan(400);
    const nearer = viewAt(118.9, 31.33, 12, 1000, 800);
    expect(left(nearer, away) - 500).toBeCloseTo(2 * (left(view, away) - 500), 6);
  });

  it("scales between stops and holds at the ends", () => {
    const stops = [
      [9, 10],
      [11, 20],
      [14, 26],
    ] as const;
    expect([8, 9, 10, 11, 12.5, 14, 20].map((zoom) => between(stops, zoom))).toEqual([10, 10, 15, 20, 23, 26, 26]);
  });

  it("says what came, what changed its look, and what went, and nothing twice", () => {
    const [book, crowd] = [new Book(), new Crowd()];
    const all = () => true;
    book.merge(sample());
    expect(crowd.update([sample().case], book, MOMENT, all)).toEqual({ came: [sample().case], went: false });
    expect(crowd.update(null, book, MOMENT, all)).toEqual({ came: [], went: false });
    book.merge(sample({ seq: 2, state: "accepted" }));
    expect(crowd.update([sample().case], book, MOMENT, all).came).toEqual([sample().case]);
    expect([crowd.of("assigned").size, crowd.of("accepted").size, crowd.size]).toEqual([0, 1, 1]);
    expect(crowd.update(null, book, MOMENT, () => false)).toEqual({ came: [], went: true });
    expect(crowd.size).toBe(0);
  });

  it("keeps late the largest, and lets the calm ones shrink in a crowd until one looks closely", () => {
    for (const zoom of [9, 10.5, 12, 16]) {
      for (const cases of [10, 5000]) {
        const sizes = (["late", "unclaimed", "waiting"] as const).map((one) => sizeOf(one, zoom, cases));
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
        expect(new Set(sizes).size).toBe(3);
      }
    }
    expect(sizeOf("waiting", 10, 5000)).toBeLessThan(0.6 * sizeOf("waiting", 10, 500));
    expect(sizeOf("waiting", 13, 5000)).toBe(sizeOf("waiting", 13, 500));
    expect(sizeOf("late", 10, 5000)).toBe(sizeOf("late", 10, 500));
  });

  it("hits the most pressing of those that lie over each other", () => {
    const [book, crowd] = [new Book(), new Crowd()];
    book.merge(sample({ case: "calm", lon: 118.9, lat: 31.33 }));
    book.merge(sample({ case: "late", lon: 118.9001, lat: 31.33, due_at: "2026-11-23T01:05:00Z" }));
    crowd.update(null, book, MOMENT, () => true);
    expect(crowd.hit(view, 500, 400, () => 20)).toBe("late");
    expect(crowd.hit(view, 600, 400, () => 20)).toBeNull();
  });
});

describe("units that stand in one place", () => {
  it("stand in a row about it, in the order of their codes", () => {
    const unit = (code: string, lon: number, busy = false): Unit => ({
      code,
      name: code,
      name_en: code,
      team: "T",
      mode: "vehicle",
      crew: 2,
      lon,
      lat: 31.3,
      seen_at: code === "far" ? "2026-11-23T01:00:00.000Z" : null,
      on_shift: code !== "b",
      case: busy ? "x" : null,
    });
    const shown = inRows([unit("c", 118.9), unit("a", 118.9, true), unit("b", 118.9), unit("far", 119)]);
    expect(shown.map((one) => [one.place, one.sign])).toEqual([
      [-1, "vehicle-busy"],
      [0, "vehicle-free"],
      [1, "vehicle-free"],
      [0, "vehicle-free"],
    ]);
    expect(shown.map((one) => [one.live, one.onShift])).toEqual([
      [false, true],
      [false, false],
      [false, true],
      [true, true],
    ]);
  });
});
