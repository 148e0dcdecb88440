import { describe, expect, it } from "vitest";
import {
  backoff,
  blank,
  type Deed,
  deedOf,
  due,
  type Entry,
  hurried,
  nextDueIn,
  type Outcome,
  queued,
  type ReportEntry,
  recovered,
  reopened,
  settled,
  spent,
  started,
} from "./entry";

const T = 1_000_000;
const problem = { code: "unreachable", title: "", detail: "", status: 0 };
const later: Outcome = { is: "later", problem, retryAfterMs: null };
const report = (id: string, at = T): ReportEntry => queued(blank(id, at), at);
const deed = (id: string, caseNumber: string, at = T, follows?: number): Entry => {
  const what: Deed = { case: caseNumber, action: "accept", note: "", unit: "", actor: "", seq: 1, matter: "" };
  return queued(deedOf(id, follows === undefined ? what : { ...what, follows }, [], at), at);
};
const photo = { id: "p", blob: new Blob(["x"]), width: 1, height: 1, sha256: "abc" };

describe("backoff", () => {
  it("doubles from two seconds and stops at five minutes", () => {
    expect([1, 2, 3, 4].map((n) => backoff(n, 1))).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(backoff(50, 1)).toBe(300_000);
    expect(backoff(1_100, 1)).toBe(300_000);
  });
  it("keeps at least half of it, whatever chance says", () => {
    for (const n of [1, 5, 30]) expect(backoff(n, 0)).toBe(backoff(n, 1) / 2);
  });
});

describe("the states of an entry", () => {
  it("waits again after a failure, not before its time, with the reason", () => {
    const after = settled(started(report("a")), later, T, 1);
    expect(after).toMatchObject({ state: "waiting", attempts: 1, notBefore: T + 2_000, problem });
  });
  it("waits as long as the server asked, when that is longer", () => {
    const busy: Outcome = { ...later, retryAfterMs: 30_000 };
    expect(settled(started(report("a")), busy, T, 1).notBefore).toBe(T + 30_000);
    expect(settled(started(report("a")), { ...later, retryAfterMs: 1 }, T, 1).notBefore).toBe(T + 2_000);
  });
  it("keeps what was refused, and its id when it is opened again", () => {
    const refused = settled(
      started(report("a")),
      { is: "rejected", problem: { ...problem, code: "outside_district" } },
      T,
      0,
    );
    expect(refused.state).toBe("rejected");
    expect(reopened(refused, "b")).toMatchObject({ id: "a", state: "draft", attempts: 0 });
  });
  it("takes a new id only where the server says that the id is taken", () => {
    const refused = settled(
      started(report("a")),
      { is: "rejected", problem: { ...problem, code: "report_conflicts" } },
      T,
      0,
    );
    expect(reopened(refused, "b").id).toBe("b");
  });
  it("sends photos again that the server lost", () => {
    const entry = { ...started(report("a")), photos: [photo] };
    expect(settled(entry, { is: "photos-gone", problem }, T, 0).photos[0]?.sha256).toBeNull();
  });
  it("frees the photos of what has arrived, and only of that", () => {
    const answer = {} as never;
    const entry = { ...started(report("a")), photos: [photo] };
    expect(
      settled(entry, { is: "delivered", receipt: { answer, why: null }, went: ["abc"] }, T, 0).photos[0]?.blob,
    ).toBeNull();
    expect(settled(entry, later, T, 0).photos[0]?.blob).not.toBeNull();
  });
  it("sends again what was cut off, and touches nothing else", () => {
    expect(recovered(started(report("a"))).state).toBe("waiting");
    for (const state of ["draft", "delivered", "rejected"] as const) {
      expect(recovered({ ...report("a"), state }).state).toBe(state);
    }
  });
});

describe("what is due", () => {
  it("is the oldest first, none before its time", () => {
    const entries = [report("b", T + 1), report("a", T), { ...report("c"), notBefore: T + 99 }];
    expect(due(entries, T + 1).map((e) => e.id)).toEqual(["a", "b"]);
  });
  it("lets others pass what has failed", () => {
    expect(due([{ ...report("a", T), attempts: 3 }, report("b", T + 1)], T + 1).map((e) => e.id)).toEqual(["b", "a"]);
  });
  it("keeps the deeds on one case in order, even when the first must wait", () => {
    const first = { ...deed("x", "C1", T), notBefore: T + 500 };
    const entries = [deed("y", "C1", T + 1), first, deed("z", "C2", T + 2)];
    expect(due(entries, T + 10).map((e) => e.id)).toEqual(["z"]);
    expect(due(entries, T + 500).map((e) => e.id)).toEqual(["x", "z"]);
  });
  it("is photos that follow last of all, and nothing waits for them", () => {
    const follow = deed("p", "C1", T - 9, T);
    const entries = [follow, { ...report("a", T), attempts: 3 }, deed("x", "C1", T + 1)];
    expect(due(entries, T + 1).map((e) => e.id)).toEqual(["x", "a", "p"]);
    expect(due([deed("y", "C1", T - 10), follow].reverse(), T).map((e) => e.id)).toEqual(["y", "p"]);
    expect(due([{ ...follow, notBefore: T + 99 }, deed("x", "C1", T + 1)], T + 1).map((e) => e.id)).toEqual(["x"]);
  });
  it("says when to look again", () => {
    expect(nextDueIn([], T)).toBeNull();
    expect(nextDueIn([{ ...report("a"), state: "rejected" }], T)).toBeNull();
    expect(
      nextDueIn(
        [
          { ...report("a"), notBefore: T + 70 },
          { ...report("b"), notBefore: T + 30 },
        ],
        T,
      ),
    ).toBe(30);
    expect(nextDueIn([{ ...report("a"), notBefore: T - 70 }], T)).toBe(0);
  });
  it("is at once when the signal returns, except where the server named a time", () => {
    const waiting = { ...report("a"), notBefore: T + 60_000, problem };
    expect(hurried(waiting, T).notBefore).toBe(T);
    expect(hurried({ ...waiting, problem: { ...problem, status: 503 } }, T).notBefore).toBe(T + 60_000);
  });
});

describe("what may be forgotten", () => {
  const day = 86_400_000;
  it("is old or plenty, and always delivered", () => {
    const kept = Array.from({ length: 70 }, (_, i) => ({
      ...report(`r${i}`, T + i),
      state: "delivered" as const,
      settledAt: T + i,
    }));
    expect(spent(kept, T + 100)).toEqual(
      kept
        .slice(0, 10)
        .map((e) => e.id)
        .reverse(),
    );
    const old = T + 400 * day;
    expect(spent([{ ...report("a"), state: "rejected" }, report("b"), blank("c", T)], old)).toEqual([]);
    expect(spent([{ ...report("d"), state: "delivered", settledAt: T }], T + 15 * day)).toEqual(["d"]);
  });
});
