import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sample } from "../../console/sample.test-data";
import type { StreamLike } from "../../shared/events";
import type { Case, CaseEvent, EventAction } from "../../shared/types";
import { Line } from "../line";
import { afterEvent, heed, missed } from "./heed";
import { withNotice } from "./use-notices";

const CREW = { team: "T01", unit: "T01-V1" };
const event = (action: EventAction, patch: Partial<Case> = {}): CaseEvent => {
  const c = sample({ seq: 2, ...patch });
  return { event: 1, case: c, seq: c.seq, action, at: c.changed_at, actor: "", note: "" };
};

describe("what concerns a crew", () => {
  const mine = sample();
  const others = sample({ unit: "T01-V2" });
  it("is what is given to it and taken from it by somebody else", () => {
    expect(heed(event("report", { seq: 1 }), null, CREW)).toBe("given");
    expect(heed(event("reassign"), others, CREW)).toBe("given");
    expect(heed(event("reassign", { unit: "T01-V2" }), mine, CREW)).toBe("taken");
    expect(heed(event("reassign", { team: "T02", unit: null }), mine, CREW)).toBe("taken");
    expect(heed(event("suspend", { state: "suspended" }), mine, CREW)).toBe("paused");
    expect(heed(event("resume"), sample({ state: "suspended" }), CREW)).toBe("resumed");
    expect(heed(event("cancel", { state: "cancelled", unit: null }), mine, CREW)).toBe("over");
    expect(heed(event("merge", { state: "merged", unit: null }), mine, CREW)).toBe("over");
    expect(heed(event("rework"), sample({ state: "handled" }), CREW)).toBe("back");
    expect(heed(event("escalate"), mine, CREW)).toBe("escalated");
  });

  it("is not what it does itself, nor what others have", () => {
    expect(heed(event("return", { state: "returned", unit: null }), mine, CREW)).toBeNull();
    expect(heed(event("handle", { state: "handled" }), mine, CREW)).toBeNull();
    expect(heed(event("accept", { state: "accepted" }), others, CREW)).toBeNull();
    expect(heed(event("report", { seq: 1, unit: "T01-V2" }), null, CREW)).toBeNull();
    expect(heed(event("escalate", { unit: "T01-V2" }), others, CREW)).toBeNull();
    expect(heed(event("report", { seq: 1, state: "triage" }), null, CREW)).toBeNull();
    expect(heed(event("report", { seq: 1 }), null, { team: "", unit: "" })).toBeNull();
  });

  it("is, for a whole team, whatever is its", () => {
    const team = { team: "T01", unit: "" };
    expect(heed(event("report", { seq: 1, unit: null }), null, team)).toBe("given");
    expect(heed(event("reassign", { unit: "T01-V2" }), mine, team)).toBeNull();
    expect(heed(event("reassign", { team: "T02" }), mine, team)).toBe("taken");
  });

  it("is known by the newest step, and told of once a case", () => {
    const known = afterEvent(new Map(), event("report", { seq: 3 }), { team: "T01", unit: "" });
    expect(afterEvent(known, event("report", { seq: 2, team: "T02" }), { team: "T01", unit: "" }).size).toBe(1);
    expect(afterEvent(known, event("reassign", { seq: 4, team: "T02" }), { team: "T01", unit: "" }).size).toBe(0);
    const list = withNotice(withNotice([], { kind: "given", case: mine }), { kind: "taken", case: mine });
    expect(list.map(({ kind }) => kind)).toEqual(["taken"]);
  });
});

describe("what was missed while nobody listened", () => {
  const map = (...cases: Case[]): Map<string, Case> => new Map(cases.map((c) => [c.case, c]));
  const a = sample({ case: "A" });
  const b = sample({ case: "B", unit: "T01-V2" });
  it("is what the list says is new, gone, or somebody else's", () => {
    const now = map(sample({ case: "A", unit: "T01-V2" }), sample({ case: "B" }));
    expect(missed(map(a, b), now, CREW).map(([kind, c]) => [kind, c.case])).toEqual([
      ["given", "B"],
      ["taken", "A"],
    ]);
    expect(missed(map(a), map(), CREW).map(([kind]) => kind)).toEqual(["gone"]);
  });

  it("is nothing where nothing changed, or the crew did it itself", () => {
    expect(missed(map(a, b), map(a, b), CREW)).toEqual([]);
    for (const state of ["handled", "returned", "disputed"] as const)
      expect(missed(map(a), map(sample({ case: "A", state, unit: null })), CREW)).toEqual([]);
  });
});

describe("one line for all who listen", () => {
  let opened: { told: Map<string, (event: MessageEvent<string>) => void>; closed: boolean }[] = [];
  const open = (): StreamLike => {
    const one = { told: new Map<string, (event: MessageEvent<string>) => void>(), closed: false };
    opened.push(one);
    return {
      readyState: 1,
      addEventListener: (type, tell) => void one.told.set(type, tell),
      close: () => {
        one.closed = true;
      },
    };
  };
  beforeEach(() => {
    opened = [];
    const target = { addEventListener: () => undefined, removeEventListener: () => undefined };
    vi.stubGlobal("document", { ...target, visibilityState: "visible" });
    vi.stubGlobal("window", target);
  });
  afterEach(() => vi.unstubAllGlobals());

  it("opens with the first, tells everybody, closes with the last", () => {
    const line = new Line({ url: "/api/events", open });
    const heard: string[] = [];
    const ear = (name: string) => ({
      onEvent: () => heard.push(name),
      onReset: () => undefined,
      onLink: (link: string) => heard.push(`${name} ${link}`),
    });
    const stopA = line.listen(ear("a"));
    opened[0]?.told.get("open")?.({} as MessageEvent<string>);
    const stopB = line.listen(ear("b"));
    expect(opened.length).toBe(1);
    opened[0]?.told.get("case")?.({ data: JSON.stringify(event("report")), lastEventId: "1" } as MessageEvent<string>);
    expect(heard).toEqual(["a open", "b open", "a", "b"]);
    stopA();
    stopA();
    expect(opened[0]?.closed).toBe(false);
    stopB();
    expect(opened[0]?.closed).toBe(true);
    line.listen(ear("c"));
    expect(opened.length).toBe(2);
  });
});
