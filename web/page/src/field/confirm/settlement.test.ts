import { describe, expect, it } from "vitest";
import { whereOf } from "../../shared/outcomes";
import type { Case, Outcome, ReportAnswer } from "../../shared/types";
import { type DeedEntry, deedOf, queued } from "../outbox/entry";
import { deedBody } from "../outbox/post";
import { chosen, isAsked, latest, settlement, settling } from "./settlement";

const outcome = (team: string, lon: number, clear_m = 12): Outcome => ({
  team,
  team_name: team,
  team_name_en: team,
  rule: "R1",
  share: 0.5,
  lon,
  lat: 31.3,
  clear_m,
  zones: [],
});
const OUTCOMES = [outcome("W01", 118.9), outcome("T01", 118.901, 1.5)] as const;
const answer = (notes: string[], outcomes: readonly Outcome[] = OUTCOMES): ReportAnswer =>
  ({ case: "A", decision: { notes, outcomes } }) as unknown as ReportAnswer;
const ASKED = answer(["confirm_place"]);
const live = (patch: Partial<Case>): Case =>
  ({ case: "A", seq: 1, state: "assigned", notes: ["confirm_place"], ...patch }) as Case;
const tapped = (which: Outcome, at: number, patch: Partial<DeedEntry> = {}): DeedEntry => ({
  ...queued(deedOf(`id${at}`, settling(ASKED, which, "上报人", "0114"), [], at), at),
  ...patch,
});

describe("a place to be confirmed", () => {
  it("is asked about once, and only where teams differ", () => {
    expect(settlement(answer([]), undefined, [])).toBeNull();
    expect(settlement(answer(["confirm_place"], []), undefined, [])).toBeNull();
    const asked = settlement(ASKED, undefined, []);
    expect(asked && isAsked(asked)).toBe(true);
    expect(settlement(ASKED, live({}), [])).not.toBeNull();
  });
  it("is no longer asked about when somebody else settled it, or the case is dealt with", () => {
    expect(settlement(ASKED, live({ notes: ["relocated"] }), [])).toBeNull();
    expect(settlement(ASKED, live({ state: "handled" }), [])).toBeNull();
    expect(settlement(ASKED, live({ state: "closed" }), [])).toBeNull();
  });
  it("keeps the answer that was given last, and asks again when it was refused", () => {
    const both = [tapped(OUTCOMES[1], 2), tapped(OUTCOMES[0], 1)];
    const waiting = settlement(ASKED, live({}), both);
    if (!waiting) throw new Error("nothing");
    expect(isAsked(waiting)).toBe(false);
    expect(chosen(waiting)?.team).toBe("T01");
    const refused = settlement(ASKED, live({}), [tapped(OUTCOMES[1], 2, { state: "rejected" })]);
    expect(refused && isAsked(refused)).toBe(true);
  });
  it("is no longer asked about when the answer was refused because somebody else settled it", () => {
    const late = [tapped(OUTCOMES[1], 2, { state: "rejected" })];
    expect(settlement(ASKED, live({ notes: ["relocated"] }), late)).toBeNull();
  });
  it("knows taps of an earlier page, which named a point", () => {
    const { settles: _, ...deed } = tapped(OUTCOMES[1], 1).deed;
    const earlier = tapped(OUTCOMES[1], 1, {
      deed: { ...deed, position: { lon: OUTCOMES[1].lon, lat: OUTCOMES[1].lat, accuracy: 1.5 } },
    });
    const found = settlement(ASKED, live({}), [earlier]);
    expect(found && chosen(found)?.team).toBe("T01");
    expect(deedBody(earlier, [])).toMatchObject({ lon: 118.901, lat: 31.3, accuracy_m: 1.5 });
  });
  it("is answered with whose part it is, claims no place and no accuracy, and names no step", () => {
    const body = deedBody(tapped(OUTCOMES[1], 1), []);
    expect(body).toEqual({
      id: "id1",
      action: "relocate",
      actor: "上报人",
      note: "",
      settles: "T01",
    });
  });
  it("shows the case as the server answered, until something later is known", () => {
    const given = tapped(OUTCOMES[1], 1, { state: "delivered", answer: live({ seq: 2, team: "T01" }) });
    expect(latest(live({ seq: 1 }), given)?.team).toBe("T01");
    expect(latest(undefined, given)?.seq).toBe(2);
    expect(latest(live({ seq: 3, team: "X" }), given)?.team).toBe("X");
    expect(latest(undefined, null)).toBeUndefined();
  });
});

describe("the outcomes of a circle", () => {
  const zone = (layer: string, code: string) => ({ layer, code, name: code, name_en: code });
  const lying = (team: string, ...zones: ReturnType<typeof zone>[]): Outcome => ({ ...outcome(team, 118.9), zones });
  it("are told apart by what they do not share", () => {
    const lake = lying("W01", zone("township", "A"), zone("water", "L"));
    const land = lying("T01", zone("township", "A"));
    expect(whereOf(lake, [lake, land])).toEqual({ names: ["L"], ashore: false });
    expect(whereOf(land, [lake, land])).toEqual({ names: [], ashore: true });
    const next = lying("T02", zone("township", "B"));
    expect(whereOf(land, [land, next])).toEqual({ names: ["A"], ashore: false });
    expect(whereOf(next, [lake, land, next])).toEqual({ names: ["B"], ashore: true });
  });
});
