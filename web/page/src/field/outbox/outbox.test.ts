/** The outbox against a real HTTP server on loopback that keeps the interface's promise: one id, one case. */

import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Client } from "../../shared/client";
import { deedOf, type Entry, type ReportEntry, reopened } from "./entry";
import { Office, reportOf } from "./office";
import { Outbox } from "./outbox";
import { Store } from "./store";

const office = { at: new Office() };
let store: Store;
let entries: Entry[] = [];
let now = 1_000_000;
const boxes: Outbox[] = [];

function outbox(more: { photosWithinMs?: number } = {}): Outbox {
  const client = new Client({ base: office.at.base, lang: () => "zh" });
  const made = new Outbox({
    store,
    client,
    lock: (task) => task(),
    now: () => now,
    random: () => 1,
    onChange: (all) => (entries = all),
    ...more,
  });
  boxes.push(made);
  return made;
}

const written = (photos = 0): ReportEntry => reportOf(now, photos);
const one = (id: string): Entry | undefined => entries.find((entry) => entry.id === id);
const kinds = (): string[] => office.at.calls;

beforeEach(async () => {
  office.at = new Office();
  await office.at.open();
  store = await Store.open(`outbox-${randomUUID()}`);
  entries = [];
  now = 1_000_000;
});

afterEach(async () => {
  for (const box of boxes.splice(0)) await box.stop();
  store.close();
  await office.at.close();
});

describe("the outbox", () => {
  it("stores before it sends, then delivers with the reason in words", async () => {
    const box = outbox();
    const entry = written(2);
    await box.enqueue(entry);
    expect((await store.entries()).map((e) => e.id)).toEqual([entry.id]);
    await box.flush();
    expect(one(entry.id)).toMatchObject({
      state: "delivered",
      receipt: { answer: { case: "case-1" }, why: { zh: { headline: "因为" } } },
    });
    expect(kinds()).toEqual(["/photos", "/photos", "/reports"]);
  });

  it("makes one case when the answer is lost after the server has written", async () => {
    const box = outbox();
    office.at.weather = ["lose-answer"];
    const entry = written();
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)).toMatchObject({ state: "waiting", problem: { code: "unreachable" } });
    now += 10_000;
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    expect(office.at.cases.size).toBe(1);
    expect(kinds()).toEqual(["/reports", "/reports"]);
  });

  it("does not send a photo again that has arrived", async () => {
    const box = outbox();
    office.at.weather = ["fair", "cut", "cut"];
    const entry = written(2);
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)?.state).toBe("waiting");
    now += 10_000;
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    expect(kinds()).toEqual(["/photos", "/photos", "/reports", "/photos", "/reports"]);
    expect(office.at.photos).toBe(2);
    expect(office.at.pictured.get(entry.id)).toEqual(["sha-1", "sha-2"]);
  });

  it("does not hold a report up for a photo that does not come through: that follows, once", async () => {
    const box = outbox();
    office.at.weather = ["fair", "cut", "fair", "cut"];
    const entry = written(3);
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)).toMatchObject({ state: "delivered", photos: [{ sha256: "sha-1" }] });
    expect(office.at.pictured.get(entry.id)).toEqual(["sha-1"]);
    expect(one("p1")).toMatchObject({
      kind: "deed",
      state: "waiting",
      deed: { case: "case-1", action: "evidence", role: "grid_worker", seq: null },
      photos: [{ id: "p1" }, { id: "p2" }],
    });
    now += 60_000;
    await box.flush();
    expect(one("p1")?.state).toBe("delivered");
    expect(office.at.evidence).toEqual(["sha-2", "sha-3"]);
    expect(kinds()).toEqual([
      ...["/photos", "/photos", "/reports"],
      ...["/evidence", "/evidence", "/evidence", "/cases/case-1/actions"],
    ]);
    now += 60_000;
    await box.flush();
    expect(office.at.deeds).toEqual(["p1"]);
  });

  it("does not hold a report up for a photo that hangs", async () => {
    const box = outbox({ photosWithinMs: 100 });
    office.at.hangs = "/photos";
    const entry = written(1);
    await box.enqueue(entry);
    await box.flush();
    expect(kinds().slice(-3)).toEqual(["/reports", "/evidence", "/cases/case-1/actions"]);
    expect(office.at.pictured.get(entry.id)).toEqual([]);
    expect(one("p0")?.state).toBe("delivered");
  });

  it("makes one case and owes the photo once, when the answer to the report without it was lost", async () => {
    const box = outbox();
    office.at.weather = ["cut", "lose-answer"];
    const entry = written(1);
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)?.state).toBe("waiting");
    now += 10_000;
    await box.flush();
    expect(one(entry.id)).toMatchObject({ state: "delivered", photos: [], receipt: { answer: { case: "case-1" } } });
    expect(office.at.cases.size).toBe(1);
    expect(office.at.pictured.get(entry.id)).toEqual([]);
    expect(office.at.evidence).toEqual(["sha-2"]);
    expect(kinds().filter((call) => call === "/reports")).toHaveLength(3);
  });

  it("owes it once also when the phone died between the report and its photo", async () => {
    const box = outbox();
    office.at.weather = ["cut", "fair", "cut"];
    const entry = written(1);
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    // As it would stand if it had died before the report counted as delivered.
    await store.change(entry.id, () => ({ ...entry, state: "sending" as const, queuedAt: now, tries: [[]] }));
    now += 60_000;
    await box.flush();
    expect(entries.filter((made) => made.kind === "deed").map((made) => made.id)).toEqual(["p0"]);
    expect(office.at.deeds).toEqual(["p0"]);
    expect(office.at.evidence).toHaveLength(1);
  });

  it("stops sending photos that follow when somebody reports, and sends that first", async () => {
    const box = outbox();
    office.at.weather = ["cut"];
    office.at.hangs = "/evidence";
    await box.enqueue(written(1));
    await expect.poll(kinds).toContain("/evidence");
    const light = written();
    await box.enqueue(light);
    await box.flush();
    expect(one(light.id)?.state).toBe("delivered");
    expect(one("p0")?.state).toBe("waiting");
    office.at.hangs = "";
    now += 60_000;
    await box.flush();
    expect(one("p0")?.state).toBe("delivered");
  });

  it("brings photos that follow to the case that leads, when theirs was merged meanwhile", async () => {
    const box = outbox();
    office.at.weather = ["cut", "fair", "cut"];
    await box.enqueue(written(1));
    await box.flush();
    office.at.merged.set("case-1", "case-9");
    now += 60_000;
    await box.flush();
    expect(one("p0")?.state).toBe("delivered");
    expect(kinds().slice(-4)).toEqual([
      "/cases/case-1/actions",
      "/cases/case-1",
      "/cases/case-9",
      "/cases/case-9/actions",
    ]);
  });

  it("lets a report with a photo that is refused wait for its sender", async () => {
    const box = outbox();
    office.at.weather = ["refuse"];
    const entry = written(1);
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)?.state).toBe("rejected");
    expect(kinds()).toEqual(["/photos"]);
  });

  it("sends the photos anew when the server has lost them", async () => {
    const box = outbox();
    office.at.weather = ["fair", "photo-gone"];
    const entry = written(1);
    await box.enqueue(entry);
    await box.flush();
    now += 10_000;
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    expect(kinds()).toEqual(["/photos", "/reports", "/photos", "/reports"]);
  });

  it("waits as long as a busy server asks, even when hurried", async () => {
    const box = outbox();
    office.at.weather = ["busy"];
    const entry = written();
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)).toMatchObject({ state: "waiting", notBefore: now + 7_000, problem: { status: 503 } });
    await box.hurry();
    expect(kinds()).toHaveLength(1);
    now += 7_000;
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
  });

  it("takes the sign-in page of a public network for no answer", async () => {
    const box = outbox();
    office.at.weather = ["sign-in-page"];
    const entry = written();
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)?.state).toBe("waiting");
    expect(office.at.cases.size).toBe(0);
  });

  it("keeps what was refused, and sends it under the same id once it is mended", async () => {
    const box = outbox();
    office.at.weather = ["refuse"];
    const entry = written();
    await box.enqueue(entry);
    await box.flush();
    expect(one(entry.id)).toMatchObject({ state: "rejected", problem: { code: "outside_district", detail: "在区外" } });
    now += 3_600_000;
    await box.flush();
    expect(kinds()).toHaveLength(1);
    await box.amend(entry.id, (stored) => reopened(stored, "unused"));
    await box.enqueue({ ...entry, draft: { ...entry.draft, text: "改正" } });
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    expect([...office.at.cases.keys()]).toEqual([entry.id]);
  });

  it("changes nothing that is already on its way", async () => {
    const box = outbox();
    office.at.weather = ["busy"];
    const entry = written();
    await box.enqueue(entry);
    await box.flush();
    await box.save({ ...entry, draft: { ...entry.draft, text: "太晚" } });
    await box.enqueue(entry);
    expect(one(entry.id)).toMatchObject({ state: "waiting", attempts: 1, draft: { text: "" } });
  });

  it("sends again what a closed page left half sent", async () => {
    const entry = { ...written(), state: "sending" as const, queuedAt: now };
    await store.change(entry.id, () => entry);
    await outbox().flush();
    expect(one(entry.id)?.state).toBe("delivered");
  });

  it("sends deeds on a case in order, each once", async () => {
    const box = outbox();
    office.at.weather = ["cut"];
    const what = { case: "C1", note: "", unit: "", actor: "", seq: null, matter: "" };
    const [first, second] = [randomUUID(), randomUUID()];
    await box.enqueue(deedOf(first, { ...what, action: "accept" }, [], now));
    await box.flush();
    now += 1;
    await box.enqueue(deedOf(second, { ...what, action: "arrive" }, [], now));
    await box.flush();
    expect(office.at.deeds).toEqual([]);
    now += 60_000;
    await box.flush();
    expect(office.at.deeds).toEqual([first, second]);
  });

  it("lets a small report pass a photo that does not come through", async () => {
    const box = outbox();
    office.at.weather = ["cut", "cut"];
    const heavy = written(1);
    await box.enqueue(heavy);
    await box.flush();
    now += 1;
    const light = written();
    office.at.weather = ["fair", "cut", "cut"];
    await box.enqueue(light);
    now += 10_000;
    await box.flush();
    expect(one(light.id)?.state).toBe("delivered");
    expect(one(heavy.id)?.state).toBe("waiting");
  });
});
