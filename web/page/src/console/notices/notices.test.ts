import { describe, expect, it } from "vitest";
import type { Case, CaseEvent, EventAction } from "../../shared/types";
import { hold } from "../attention";
import { sample } from "../sample.test-data";
import { heed } from "./heed";
import { MOST, Notices, type Shelf } from "./notices";

const event = (action: EventAction, patch: Partial<Case> = {}): CaseEvent => {
  const c = sample({ seq: 2, ...patch });
  return { event: 1, case: c, seq: c.seq, action, at: c.changed_at, actor: "", note: "" };
};

function shelf(): Shelf {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

describe("whom an event concerns", () => {
  const ours = sample();
  it("tells the centre what comes back to it, and not what it gave away", () => {
    expect(heed(event("return", { state: "returned" }), ours, "")).toBe("returned");
    expect(heed(event("return", { state: "disputed" }), ours, "")).toBe("disputed");
    expect(heed(event("escalate"), ours, "")).toBe("escalated");
    for (const action of ["report", "reassign", "accept", "handle", "close", "rework"] as const)
      expect(heed(event(action), ours, "")).toBeNull();
  });

  it("tells a team what is given to it and taken from it, and of its own disputes", () => {
    expect(heed(event("report", { seq: 1 }), null, "T01")).toBe("given");
    expect(heed(event("report", { seq: 1, state: "triage" }), null, "T01")).toBeNull();
    expect(heed(event("reassign"), sample({ team: "T02" }), "T01")).toBe("given");
    expect(heed(event("reassign"), ours, "T01")).toBeNull();
    expect(heed(event("reopen"), ours, "T01")).toBe("given");
    expect(heed(event("rework"), ours, "T01")).toBe("back");
    expect(heed(event("reassign", { team: "T02" }), ours, "T01")).toBe("taken");
    expect(heed(event("return", { state: "returned" }), ours, "T01")).toBeNull();
    expect(heed(event("return", { state: "disputed" }), ours, "T01")).toBe("disputed");
    expect(heed(event("return", { state: "disputed", team: "T02" }), sample({ team: "T02" }), "T01")).toBeNull();
    expect(heed(event("escalate", { team: "T02" }), sample({ team: "T02" }), "T01")).toBeNull();
    expect(heed(event("escalate"), ours, "T01")).toBe("escalated");
  });
});

describe("the list of notices", () => {
  it("counts what was not read, keeps it over a reload, forgets the oldest", () => {
    const kept = shelf();
    let drawn = 0;
    const notices = new Notices(kept, () => drawn++);
    for (let seq = 2; seq < MOST + 12; seq++) notices.hear(event("escalate", { seq }), null, "");
    expect([notices.all.length, notices.unread, drawn]).toEqual([MOST, MOST, MOST + 10]);
    notices.read(notices.all[0]?.id);
    expect(notices.unread).toBe(MOST - 1);
    const again = new Notices(kept, () => undefined);
    expect([again.unread, again.all[0]?.seq]).toEqual([MOST - 1, MOST + 11]);
    again.hear(event("escalate", { seq: 500 }), null, "");
    expect(new Set(again.all.map(({ id }) => id)).size).toBe(MOST);
    again.read();
    expect(again.unread).toBe(0);
  });

  it("does not tell of a step that was taken here, whichever comes first", () => {
    const notices = new Notices(null, () => undefined);
    notices.own({ case: "A", seq: 2 });
    notices.hear(event("escalate", { case: "A", seq: 2 }), null, "");
    notices.hear(event("escalate", { case: "B", seq: 2 }), null, "");
    expect(notices.all.map((one) => one.case)).toEqual(["B"]);
    notices.own({ case: "B", seq: 2 });
    expect(notices.all).toEqual([]);
  });

  it("tells once that a case will soon be late, and not of those found so", () => {
    const notices = new Notices(null, () => undefined);
    const [found, later, other] = ["A", "B", "C"].map((id) => sample({ case: id, team: id === "C" ? "T02" : "T01" }));
    const held = [found, later, other].map((c, i) =>
      hold({
        ...(c as Case),
        due_at: new Date(Date.parse("2026-11-23T02:00:00Z") + i * 60_000).toISOString(),
        warn_at: new Date(Date.parse("2026-11-23T01:48:00Z") + i * 60_000).toISOString(),
      }),
    );
    const at = (minutes: number): number => Date.parse("2026-11-23T01:00:00Z") + minutes * 60_000;
    notices.watch(held, at(48), "T01");
    expect(notices.all).toEqual([]);
    for (const minute of [49, 50, 51, 59, 61]) notices.watch(held, at(minute), "T01");
    expect(notices.all.map((one) => [one.kind, one.case])).toEqual([["soon", "B"]]);
  });

  it("begins anew where what was kept is broken", () => {
    const broken = { getItem: () => "{", setItem: () => undefined };
    expect(new Notices(broken, () => undefined).all).toEqual([]);
  });
});
