import { describe, expect, it } from "vitest";
import { hold } from "./attention";
import { type Address, ALL, chosen, type Filter, type Moment, matches, readHash, writeHash } from "./filter";
import { sample } from "./sample.test-data";

const NOW = Date.parse("2026-11-23T04:00:00Z");
const MOMENT: Moment = { now: NOW, startOfDay: Date.parse("2026-11-22T16:00:00Z"), unclaimedAfter: 1_800_000 };
const passes = (filter: Partial<Filter>, patch = {}): boolean =>
  matches({ ...ALL, ...filter }, MOMENT)(hold(sample(patch)));

describe("the filter", () => {
  it("takes a matter or a whole class", () => {
    expect(passes({ matter: "2103" })).toBe(true);
    expect(passes({ matter: "21" })).toBe(true);
    expect(passes({ matter: "2104" })).toBe(false);
    expect(passes({ matter: "05" })).toBe(false);
  });

  it("hides closed cases unless they are asked for", () => {
    expect(passes({}, { state: "closed" })).toBe(false);
    expect(passes({ state: "closed" }, { state: "closed" })).toBe(true);
    expect(passes({ show: "closed_today" }, { state: "closed" })).toBe(true);
    expect(passes({ show: "closed_today" }, { state: "closed", changed_at: "2026-11-22T15:59:59Z" })).toBe(false);
    expect(passes({ show: "received_today" }, { state: "closed" })).toBe(true);
  });

  it("measures time from now, and today from the district's own midnight", () => {
    expect(passes({ since: "1h" })).toBe(false);
    expect(passes({ since: "4h" })).toBe(true);
    expect(passes({ since: "today" }, { received_at: "2026-11-22T16:00:00Z" })).toBe(true);
    expect(passes({ since: "today" }, { received_at: "2026-11-22T15:59:59Z" })).toBe(false);
  });

  it("keeps only places to be confirmed when asked, of cases that somebody still goes to", () => {
    expect(passes({ unsure: true })).toBe(false);
    expect(passes({ unsure: true }, { notes: ["confirm_place"] })).toBe(true);
    expect(passes({ unsure: true }, { notes: ["confirm_place"], state: "handled" })).toBe(false);
    expect(readHash(writeHash({ ...ALL, selected: "", unsure: true })).unsure).toBe(true);
    expect(chosen({ ...ALL, unsure: true })).toBe(1);
  });

  it("finds words in number, matter, grid and text, in either language", () => {
    expect(passes({ words: " 捕捞 " })).toBe(true);
    expect(passes({ words: "FISHING" })).toBe(true);
    expect(passes({ words: "00001" })).toBe(true);
    expect(passes({ words: "堤上" }, { text: "堤上有人下网" })).toBe(true);
    expect(passes({ words: "堤上" })).toBe(false);
    expect(passes({ words: "gd-77" }, { source_ref: "GD-77" })).toBe(true);
  });
});

describe("the address", () => {
  const whole: Address = {
    show: "late",
    team: "T01",
    matter: "21",
    state: "returned",
    since: "4h",
    words: "桥 & 堤=#",
    unsure: true,
    sort: "newest",
    selected: "3201182026112300001",
  };

  it("says the same back", () => {
    expect(readHash(writeHash(whole))).toEqual(whole);
  });

  it("is empty for what is shown at first", () => {
    expect(writeHash({ ...ALL, selected: "" })).toBe("");
    expect(readHash("")).toEqual({ ...ALL, selected: "" });
  });

  it("takes nothing that it does not know", () => {
    expect(readHash("#show=everything&state=lost&since=aeon&sort=random")).toEqual({ ...ALL, selected: "" });
  });

  it("knows how many choices are set beside the counters", () => {
    expect(chosen(ALL)).toBe(0);
    expect(chosen(whole)).toBe(6);
  });
});
