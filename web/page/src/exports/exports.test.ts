import { describe, expect, it } from "vitest";
import { sizeOf } from "./fetch-file";
import { addressOf, dayAfter, dayBegins, daysIn, fileName, periodOf, presetOf } from "./query";
import { EN, ZH } from "./words";

const NOTHING = { team: "", matter: "", zone: "" };

describe("periods", () => {
  it("are whole months and days, across years and leap days", () => {
    expect(periodOf("last_month", "2026-11-23")).toEqual({ from: "2026-10-01", to: "2026-10-31" });
    expect(periodOf("last_month", "2027-01-01")).toEqual({ from: "2026-12-01", to: "2026-12-31" });
    expect(periodOf("last_month", "2028-03-31")).toEqual({ from: "2028-02-01", to: "2028-02-29" });
    expect(periodOf("this_month", "2026-11-23")).toEqual({ from: "2026-11-01", to: "2026-11-23" });
    expect(periodOf("last_7_days", "2026-11-03")).toEqual({ from: "2026-10-28", to: "2026-11-03" });
  });
  it("count both ends", () => {
    expect(daysIn({ from: "2026-10-01", to: "2026-10-31" })).toBe(31);
    expect(daysIn({ from: "2026-10-01", to: "2026-10-01" })).toBe(1);
    expect(daysIn({ from: "2026-10-02", to: "2026-10-01" })).toBe(0);
    expect(daysIn({ from: "", to: "2026-10-01" })).toBeNaN();
  });
  it("are known again as presets", () => {
    expect(presetOf({ from: "2026-10-01", to: "2026-10-31" }, "2026-11-23")).toBe("last_month");
    expect(presetOf({ from: "2026-10-02", to: "2026-10-31" }, "2026-11-23")).toBeNull();
  });
  it("begin at midnight where the district is", () => {
    expect(dayBegins("2026-10-01", "Asia/Shanghai")).toBe("2026-09-30T16:00:00.000Z");
    expect(dayBegins("2026-10-01", "UTC")).toBe("2026-10-01T00:00:00.000Z");
    expect(dayBegins("2026-10-01", "America/New_York")).toBe("2026-10-01T04:00:00.000Z");
    expect(dayAfter("2026-12-31")).toBe("2027-01-01");
  });
});

describe("addresses", () => {
  it("hold the whole last day and only what was chosen", () => {
    const asked = { from: "2026-10-01", to: "2026-10-31", ...NOTHING, zone: "water:W01" };
    const { pathname, searchParams } = new URL(addressOf("gpkg", asked, "Asia/Shanghai"), "http://x");
    expect(pathname).toBe("/exports/heatmap.gpkg");
    expect(Object.fromEntries(searchParams)).toEqual({
      from: "2026-09-30T16:00:00.000Z",
      to: "2026-10-31T16:00:00.000Z",
      zone: "water:W01",
    });
  });
  it("come with a file name that any system takes", () => {
    const asked = { from: "2026-10-01", to: "2026-10-31", ...NOTHING, zone: "water:W01" };
    expect(fileName("csv", "320118", asked)).toBe("heatmap_320118_2026-10-01_2026-10-31_water-W01.csv");
  });
});

describe("words", () => {
  it("leave the same places open in both languages", () => {
    const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    expect(Object.keys(EN).sort()).toEqual(Object.keys(ZH).sort());
    for (const key of Object.keys(ZH) as (keyof typeof ZH)[])
      expect([key, places(EN[key])]).toEqual([key, places(ZH[key])]);
  });
});

it("sizes are as file managers show them", () => {
  expect([5, 380_400, 2_443_000].map(sizeOf)).toEqual(["1 kB", "380 kB", "2.4 MB"]);
});
