import { describe, expect, it } from "vitest";
import type { Plan, PlanPair, PlanSum } from "../shared/types";
import { fateOf, fates, gainOf, linesOf } from "./assignment";
import { wish } from "./keyboard";
import { sample } from "./sample.test-data";

function pair(id: string, patch: Partial<PlanPair> = {}): PlanPair {
  return {
    ...sample({ case: id }),
    unit: "U1",
    unit_name: "一号车",
    unit_name_en: "Car 1",
    unit_team: "T01",
    mode: "vehicle",
    eta_s: 300,
    distance_m: 3000,
    seen_s: null,
    from: { lon: 118.9, lat: 31.3 },
    waited_s: 60,
    why: { code: "nearest", unit: null, eta_s: null, case: null, hindered: {} },
    one_by_one: null,
    seq: 3,
    ...patch,
  };
}

function plan(all: Partial<PlanSum>, single: Partial<PlanSum>, as_good = false): Plan {
  const sum: PlanSum = { cases: 4, served: 2, total_s: 600, median_s: 300, cost: 9, by_urgency: {} };
  const gain = { as_good, saved: 1, all_at_once: { ...sum, ...all }, one_by_one: { ...sum, ...single } };
  return { token: "", version: "", at: "", waiting: 4, planned: 4, pairs: [], left: [], gain };
}

describe("the gain in one sentence", () => {
  it("is that more are served, else that it is sooner, else that the order is better, else nothing", () => {
    expect(gainOf(plan({}, {}, true))).toEqual({ kind: "as_good" });
    expect(gainOf(plan({ served: 3, total_s: 900 }, {}))).toEqual({ kind: "served", more: 1, mean: 300, before: 300 });
    expect(gainOf(plan({ served: 0, total_s: 0 }, {}))).toEqual({ kind: "served", more: -2, mean: 0, before: 300 });
    expect(gainOf(plan({ total_s: 400 }, {}))).toEqual({ kind: "sooner", saved: 200, total: 400, before: 600 });
    expect(gainOf(plan({ total_s: 700 }, {}))).toEqual({ kind: "weighed", longer: 100 });
  });
});

describe("what becomes of a pair", () => {
  it("is what was answered, or that the case moved on", () => {
    const answers = fates({
      done: 1,
      refused: 1,
      answers: [
        { case: "A", unit: "U1", status: 200, answer: sample() },
        { case: "B", unit: "U2", status: 409, problem: { code: "unit_busy", title: "t", detail: "d", status: 409 } },
      ],
    });
    expect(fateOf(pair("A"), 4, answers)).toEqual({ kind: "done" });
    expect(fateOf(pair("B"), 3, answers)).toEqual({ kind: "refused", detail: "d" });
    expect(fateOf(pair("C"), 4, answers)).toEqual({ kind: "moved" });
    expect(fateOf(pair("C"), 3, answers)).toEqual({ kind: "open" });
    expect(fateOf(pair("C"), undefined, answers)).toEqual({ kind: "open" });
  });
});

it("draws what is pointed at above what is chosen", () => {
  const lines = linesOf([pair("A"), pair("B"), pair("C")], ({ case: id }) => id !== "B", "C");
  expect(lines.map(({ look }) => look)).toEqual(["chosen", "left", "pointed"]);
});

it("has a key of its own", () => {
  expect(wish({ key: "a", typing: false, onControl: true, modified: false })).toBe("assign");
  expect(wish({ key: "a", typing: true, onControl: false, modified: false })).toBeNull();
  expect(wish({ key: "a", typing: false, onControl: false, modified: true })).toBeNull();
});
