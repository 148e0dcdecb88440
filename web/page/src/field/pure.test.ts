import { describe, expect, it } from "vitest";
import type { Case, Matters } from "../shared/types";
import { searchMatters, used } from "./matter/search";
import { type Deed, type DeedEntry, deedOf, type Place, queued } from "./outbox/entry";
import { deedBody } from "./outbox/post";
import { fitted } from "./photo/downscale";
import { gcj02ToWgs84 } from "./position/gcj02";
import { better, circle, fingerAccuracy, metresBetween, zonesAt, zoomFor } from "./position/place";
import { afterEvent, nextSteps, seqFor, tasks } from "./tasks/list";
import { EN, ZH } from "./words";

const GCJ = [
  [118.881, 31.336, 118.87602834677, 31.33818524124],
  [119.2, 31.25, 119.19474851942, 31.25199105797],
  [118.7, 31.44, 118.69489325181, 31.4420391528],
  [116.4, 39.9, 116.39375882315, 39.89859806532],
  [87.6, 43.8, 87.59716115828, 43.79878744796],
] as const;

describe("pictures", () => {
  it("are at most 2048 px, never enlarged, never nothing", () => {
    expect(fitted(4032, 3024)).toEqual({ width: 2048, height: 1536 });
    expect(fitted(3024, 4032)).toEqual({ width: 1536, height: 2048 });
    expect(fitted(2048, 2048)).toEqual({ width: 2048, height: 2048 });
    expect(fitted(640, 480)).toEqual({ width: 640, height: 480 });
    expect(fitted(100_000, 3)).toEqual({ width: 2048, height: 1 });
  });
});

describe("words", () => {
  const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
  it("leave the same places open in both languages", () => {
    for (const key of Object.keys(ZH) as (keyof typeof ZH)[])
      expect([key, places(EN[key])]).toEqual([key, places(ZH[key])]);
  });
  it("are all there, and each in its own language", () => {
    expect(Object.keys(EN).sort()).toEqual(Object.keys(ZH).sort());
    for (const [key, text] of Object.entries(EN)) if (key !== "language") expect(text).not.toMatch(/[一-鿿]/);
  });
});

describe("places", () => {
  it("come back from GCJ-02 as the server brings them back", () => {
    // The figures are geo.datum.to_wgs84(lon, lat, Datum.GCJ02)'s.
    for (const [lon, lat, x, y] of GCJ) {
      const [east, north] = gcj02ToWgs84(lon, lat);
      expect(east).toBeCloseTo(x, 9);
      expect(north).toBeCloseTo(y, 9);
    }
  });
  it("are as far apart as they are", () => {
    expect(metresBetween([118.9, 31.3], [118.9, 31.3])).toBe(0);
    expect(metresBetween([118.9, 31.3], [118.9, 31.31])).toBeCloseTo(1112, 0);
  });
  it("have a circle of their accuracy", () => {
    const ring = circle([118.9, 31.3], 40).geometry.coordinates[0] ?? [];
    expect(ring[0]).toEqual(ring.at(-1));
    for (const [lon = 0, lat = 0] of ring) expect(metresBetween([118.9, 31.3], [lon, lat])).toBeCloseTo(40, 1);
  });
  it("lie in the zones that hold them, holes left out", () => {
    const square = (a: number, b: number) => [
      [a, a],
      [b, a],
      [b, b],
      [a, b],
      [a, a],
    ];
    const zones = {
      type: "FeatureCollection" as const,
      features: [
        {
          type: "Feature" as const,
          properties: {},
          geometry: { type: "Polygon" as const, coordinates: [square(0, 10), square(4, 6)] },
        },
      ],
    };
    expect(zonesAt(zones, [1, 1])).toHaveLength(1);
    expect(zonesAt(zones, [5, 5])).toHaveLength(0);
    expect(zonesAt(zones, [11, 5])).toHaveLength(0);
    expect(zonesAt(undefined, [5, 5])).toHaveLength(0);
  });
  it("follow the sharper fix, or the newer when the old one is stale, and never move a pin set by hand", () => {
    const fix = (accuracy: number, at: number, by: Place["by"] = "device"): Place => ({
      lon: 0,
      lat: 0,
      accuracy,
      at,
      by,
      datum: "wgs84",
    });
    expect(better(null, fix(40, 0)).accuracy).toBe(40);
    expect(better(fix(40, 0), fix(12, 1)).accuracy).toBe(12);
    expect(better(fix(12, 0), fix(40, 1)).accuracy).toBe(12);
    expect(better(fix(12, 0), fix(40, 30_000)).accuracy).toBe(40);
    expect(better(fix(99, 0, "hand"), fix(5, 99_000)).by).toBe("hand");
  });
  it("are placed by a finger as exactly as the zoom allows", () => {
    expect(fingerAccuracy(14, 31.3)).toBe(50);
    expect(fingerAccuracy(18, 31.3)).toBe(5);
    expect(zoomFor(5, 31.3, 200)).toBe(14.5);
    expect(zoomFor(5_000, 31.3, 200)).toBe(11);
  });
});

describe("matters", () => {
  const matter = (code: string, name: string, name_en: string) =>
    ({
      code,
      class: code.slice(0, 2),
      name,
      name_en,
      department: "D",
      department_name: "农业农村局",
    }) as Matters["items"][number];
  const matters: Matters = {
    version: "",
    classes: [{ code: "21", name: "扩展事项", name_en: "Extensions" }],
    items: [
      matter("2103", "非法捕捞", "Illegal fishing"),
      matter("2101", "犬只管理", "Dogs"),
      matter("0105", "捕捞遗弃物", "Nets left"),
    ],
  };
  const codes = (asked: string): string[] => searchMatters(matters, asked).map((m) => m.code);
  it("are found by words in either language, class, code; a name that begins so comes first", () => {
    expect(codes("捕捞")).toEqual(["0105", "2103"]);
    expect(codes("FISH")).toEqual(["2103"]);
    expect(codes("扩展 犬")).toEqual(["2101"]);
    expect(codes("2103")).toEqual(["2103"]);
    expect(codes("  ")).toEqual([]);
    expect(codes("没有")).toEqual([]);
  });
  it("used last stand first, each once", () => {
    expect(used(["a", "b", "c", "d"], "c")).toEqual(["c", "a", "b", "d"]);
    expect(used(["a", "b", "c", "d"], "e")).toEqual(["e", "a", "b", "c"]);
  });
});

describe("a team's tasks", () => {
  const c = (name: string, state: Case["state"], lat: number, seq = 1, team = "T1"): Case =>
    ({ case: name, state, lon: 118.9, lat, seq, team, unit: null, due_at: "2026-11-23T10:00:00Z" }) as Case;
  const deed = (id: string, action: Deed["action"], at: number): DeedEntry =>
    queued(deedOf(id, { case: "A", action, note: "", unit: "", actor: "", seq: 1, matter: "" }, [], at), at);

  it("are nearest first, with what waits for others last", () => {
    const cases = [c("far", "assigned", 31.4), c("done", "handled", 31.3), c("near", "accepted", 31.31)];
    expect(tasks(cases, [], [118.9, 31.3], "").map((t) => t.case.case)).toEqual(["near", "far", "done"]);
  });
  it("stand as they will once everything pending has arrived", () => {
    const [task] = tasks([c("A", "assigned", 31.3)], [deed("y", "arrive", 2), deed("x", "accept", 1)], null, "");
    if (!task) throw new Error("no task");
    expect(task.pending.map((e) => e.id)).toEqual(["x", "y"]);
    expect(nextSteps(task)).toEqual(["handle", "return", "suspend", "evidence"]);
    expect(seqFor(task)).toBeNull();
    expect(seqFor({ ...task, pending: [] })).toBe(1);
  });
  it("that are suspended go on by one tap, and from where, the server says", () => {
    const [task] = tasks([c("A", "on_scene", 31.3)], [deed("x", "suspend", 1)], null, "");
    expect(task && nextSteps(task)[0]).toBe("resume");
    const [resumed] = tasks([c("A", "suspended", 31.3)], [deed("x", "resume", 1)], null, "");
    expect(resumed && nextSteps(resumed)).toEqual([]);
  });
  it("are told with what they need", () => {
    const base = { case: "A", note: "n", unit: "", actor: "一队", seq: 1, matter: "", role: "team" } as const;
    const back = deedOf("x", { ...base, action: "return", reason: "not_found", whose: "T2" }, [], 1);
    expect(deedBody(back, [])).toMatchObject({ role: "team", reason: "not_found", team: "T2" });
    expect(deedBody(deedOf("x", { ...base, action: "suspend", until: "2099-01-01" }, [], 1), []).until).toBe(
      "2099-01-01",
    );
    const proof = deedOf("x", { ...base, action: "evidence", evidence: true }, [], 1);
    expect(deedBody(proof, ["ab"])).toMatchObject({ evidence: [{ sha256: "ab", officer: "一队" }] });
    expect(deedBody(proof, ["ab"]).photos).toBeUndefined();
    expect(deedBody(deedOf("x", { ...base, action: "handle" }, [], 1), ["ab"]).photos).toEqual(["ab"]);
  });
  it("show the server's answer to a deed at once", () => {
    const answered: DeedEntry = { ...deed("x", "accept", 1), state: "delivered", answer: c("A", "accepted", 31.3, 2) };
    expect(tasks([c("A", "assigned", 31.3)], [answered], null, "")[0]?.case.state).toBe("accepted");
    expect(tasks([c("A", "on_scene", 31.3, 3)], [answered], null, "")[0]?.case.state).toBe("on_scene");
  });
  it("come, change and go with events; older news changes nothing", () => {
    const list = [c("A", "assigned", 31.3, 2)];
    expect(afterEvent(list, { case: c("B", "assigned", 31.3) }, { team: "T1", unit: "" })).toHaveLength(2);
    expect(afterEvent(list, { case: c("B", "assigned", 31.3, 1, "T2") }, { team: "T1", unit: "" })).toHaveLength(1);
    expect(afterEvent(list, { case: c("A", "accepted", 31.3, 3) }, { team: "T1", unit: "" })[0]?.state).toBe(
      "accepted",
    );
    expect(afterEvent(list, { case: c("A", "returned", 31.3, 1) }, { team: "T1", unit: "" })[0]?.state).toBe(
      "assigned",
    );
    expect(afterEvent(list, { case: c("A", "assigned", 31.3, 3, "T2") }, { team: "T1", unit: "" })).toEqual([]);
    expect(afterEvent(list, { case: c("A", "closed", 31.3, 3) }, { team: "T1", unit: "" })).toEqual([]);
    const forAnother = { ...c("B", "assigned", 31.3, 1, "T2"), unit: "U1" };
    expect(afterEvent(list, { case: forAnother }, { team: "T1", unit: "U1" })).toHaveLength(2);
  });
});
