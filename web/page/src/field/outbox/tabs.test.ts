/** Several pages over one store: each thing is sent once, and no page undoes what another did. */

import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client } from "../../shared/client";
import { type Entry, type ReportEntry, reopened } from "./entry";
import { HOLD_MS, lease } from "./lease";
import { Office, reportOf } from "./office";
import { type Lock, Outbox } from "./outbox";
import { Store } from "./store";

let office: Office;
let store: Store;
let entries: Entry[] = [];
let now = 1_000_000;
const boxes: Outbox[] = [];

function outbox(lock: Lock): Outbox {
  const client = new Client({ base: office.base, lang: () => "zh" });
  const made = new Outbox({ store, client, lock, now: () => now, random: () => 1, onChange: (all) => (entries = all) });
  boxes.push(made);
  return made;
}

/** What `navigator.locks` does with `ifAvailable`, between the tabs that are given the same one. */
function webLock(): Lock {
  let held = false;
  return async (task) => {
    if (held) return;
    held = true;
    await task().finally(() => (held = false));
  };
}

const alone: Lock = (task) => task();
const written = (photos = 0): ReportEntry => reportOf(now, photos);
const one = (id: string): Entry | undefined => entries.find((entry) => entry.id === id);
const kinds = (): string[] => office.calls;
const reached = (calls: number): Promise<void> =>
  vi.waitFor(() => expect(kinds()).toHaveLength(calls), { timeout: 4_000 });

beforeEach(async () => {
  office = new Office();
  await office.open();
  store = await Store.open(`tabs-${randomUUID()}`);
  entries = [];
  now = 1_000_000;
});

afterEach(async () => {
  for (const box of boxes.splice(0)) await box.stop();
  store.close();
  await office.close();
});

describe("several tabs", () => {
  it("lets one tab send at a time", async () => {
    const lock = webLock();
    const [left, right] = [outbox(lock), outbox(lock)];
    for (const entry of [written(1), written(1), written()])
      await store.change(entry.id, () => ({ ...entry, state: "waiting" }));
    await Promise.all([left.flush(), right.flush(), left.flush()]);
    expect(entries.map((e) => e.state)).toEqual(["delivered", "delivered", "delivered"]);
    expect(kinds().filter((call) => call === "/reports")).toHaveLength(3);
  });

  it.each([
    ["Web Locks", () => Array(2).fill(webLock())],
    ["no Web Locks", () => ["left", "right"].map((tab) => lease(store, tab, () => now))],
  ])("sends once from two tabs with %s, however long the answer takes", async (_, locks) => {
    const [left, right] = locks().map(outbox) as [Outbox, Outbox];
    const release = office.hold();
    const entry = written();
    await store.change(entry.id, () => ({ ...entry, state: "waiting" }));
    const sending = left.flush();
    await reached(1);
    // Either it leaves it to the other, or its request arrives.
    await Promise.race([right.hurry(), reached(2)]);
    release();
    await sending;
    await right.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    expect(kinds()).toEqual(["/reports"]);
  });

  it("leaves it at the other tab's success when its own attempt fails late", async () => {
    const [left, right] = [outbox(lease(store, "left", () => now)), outbox(lease(store, "right", () => now))];
    office.weather = ["cut"];
    const release = office.hold();
    const entry = written();
    await store.change(entry.id, () => ({ ...entry, state: "waiting" }));
    const asleep = left.flush();
    await reached(1);
    office.goOn();
    now += HOLD_MS;
    await right.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    release();
    await asleep;
    expect(one(entry.id)).toMatchObject({ state: "delivered", receipt: { answer: { case: "case-1" } } });
  });

  it("opens and discards only what is still refused or a draft, whatever an old list shows", async () => {
    const box = outbox(alone);
    for (const state of ["waiting", "sending", "delivered"] as const) {
      const entry = { ...written(), state, notBefore: now + 60_000 };
      await store.change(entry.id, () => entry);
      expect(await box.amend(entry.id, (stored) => reopened(stored, randomUUID()))).toBeUndefined();
      await box.discard(entry.id);
      expect(one(entry.id)?.state).toBe(state);
    }
  });

  it("gives what was refused a fresh id once, though two tabs ask", async () => {
    const [left, right] = [outbox(alone), outbox(alone)];
    const problem = { code: "report_conflicts", title: "", detail: "", status: 409 };
    const entry = { ...written(), state: "rejected" as const, problem };
    await store.change(entry.id, () => entry);
    const [first, second] = await Promise.all(
      [left, right].map((box) => box.amend(entry.id, (e) => reopened(e, randomUUID()))),
    );
    expect([first?.state, second]).toEqual(["draft", undefined]);
    expect((await store.entries()).map((e) => e.id)).toEqual([first?.id]);
  });

  it("looks again at what another page is sending, should that page die", async () => {
    const entry = { ...written(), state: "sending" as const };
    await store.change(entry.id, () => entry);
    await store.lease("dead", now, now + HOLD_MS);
    const box = outbox(lease(store, "alive", () => now));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await box.flush();
      expect(kinds()).toEqual([]);
      now += HOLD_MS;
      vi.advanceTimersByTime(30_000);
    } finally {
      vi.useRealTimers();
    }
    await reached(1);
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
  });
});
