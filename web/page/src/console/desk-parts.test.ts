import { describe, expect, it } from "vitest";
import type { Unit } from "../shared/types";
import { hold } from "./attention";
import { feature } from "./case-layer";
import { wish } from "./keyboard";
import { sample } from "./sample.test-data";
import { en, zh } from "./text";
import { rowsOf } from "./unit-layer";
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

describe("a case on the map", () => {
  it("has a key that is no number, because tiles hold numbers of 64 bits only", () => {
    const one = feature(hold(sample({ case: "32011820261123000030" })), "late");
    expect(Number(one.properties?.key)).toBeNaN();
    expect(one.properties?.id).toBe("32011820261123000030");
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
      case: busy ? "x" : null,
    });
    const shown = rowsOf([unit("c", 118.9), unit("a", 118.9, true), unit("b", 118.9), unit("far", 119)]);
    const shifts = new Map(shown.map((one) => [one.properties?.code, one.properties?.shift]));
    expect(shifts.get("b")).toEqual([0, 0]);
    expect(shifts.get("far")).toEqual([0, 0]);
    expect(shifts.get("a")[0]).toBe(-shifts.get("c")[0]);
    expect(shifts.get("a")[0]).toBeLessThan(0);
    expect(shown.find((one) => one.properties?.code === "a")?.properties?.sign).toBe("vehicle-busy");
  });
});
