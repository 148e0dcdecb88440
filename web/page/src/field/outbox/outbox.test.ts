/** The outbox against a real HTTP server on loopback that keeps the interface's promise: one id, one case. */

import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client } from "../../shared/client";
import { blank, deedOf, type Entry, type ReportEntry, reopened } from "./entry";
import { HOLD_MS, lease } from "./lease";
import { type Lock, Outbox } from "./outbox";
import { Store } from "./store";

type Weather = "fair" | "lose-answer" | "cut" | "busy" | "refuse" | "sign-in-page" | "photo-gone";

class Office {
  readonly cases = new Map<string, string>();
  readonly deeds: string[] = [];
  readonly calls: string[] = [];
  photos = 0;
  weather: Weather[] = [];
  private answering: Promise<void> = Promise.resolve();
  base = "";
  close: () => Promise<void> = async () => {};

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => void this.take(request.url ?? "", Buffer.concat(chunks), response));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    this.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
    this.close = async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    };
  }

  /** Requests that come from now on are not answered before the function that this gives is called. */
  hold(): () => void {
    let release = (): void => {};
    this.answering = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** Requests that come from now on are answered at once. */
  goOn(): void {
    this.answering = Promise.resolve();
  }

  private async take(url: string, body: Buffer, response: ServerResponse): Promise<void> {
    if (!url.endsWith("/why")) this.calls.push(url.replace("/api", ""));
    const weather = url.endsWith("/why") ? "fair" : (this.weather.shift() ?? "fair");
    await this.answering;
    this.answer(url, body, response, weather);
  }

  private answer(url: string, body: Buffer, response: ServerResponse, weather: Weather): unknown {
    const json = (status: number, value: object, headers = {}): void => {
      const type = status < 400 ? "application/json" : "application/problem+json";
      response.writeHead(status, { "content-type": type, connection: "close", ...headers }).end(JSON.stringify(value));
    };
    if (url.endsWith("/why")) return json(200, { case: "", zh: { headline: "因为" }, en: { headline: "because" } });
    if (weather === "cut") return response.destroy();
    if (weather === "busy") return json(503, { code: "database_unavailable", status: 503 }, { "retry-after": "7" });
    if (weather === "refuse") return json(422, { code: "outside_district", status: 422, detail: "在区外" });
    if (weather === "photo-gone") return json(422, { code: "unknown_photo", status: 422 });
    if (weather === "sign-in-page") {
      return response.writeHead(200, { "content-type": "text/html" }).end("<html>Wi-Fi</html>");
    }
    if (url.endsWith("/photos")) {
      this.photos += 1;
      return json(201, { sha256: `sha-${this.photos}`, width: 1, height: 1, bytes: body.length });
    }
    const sent = JSON.parse(body.toString()) as { id: string; action?: string };
    if (sent.action) {
      if (!this.deeds.includes(sent.id)) this.deeds.push(sent.id);
      return json(200, { case: "C1", seq: 2 });
    }
    const known = this.cases.has(sent.id);
    if (!known) this.cases.set(sent.id, `case-${this.cases.size + 1}`);
    if (weather === "lose-answer") return response.destroy();
    json(known ? 200 : 201, { case: this.cases.get(sent.id), team: {}, unit: null, decision: { notes: [] } });
  }
}

const office = { at: new Office() };
let store: Store;
let entries: Entry[] = [];
let now = 1_000_000;
const boxes: Outbox[] = [];

function outbox(lock: Lock = (task) => task()): Outbox {
  const client = new Client({ base: office.at.base, lang: () => "zh" });
  const made = new Outbox({ store, client, lock, now: () => now, random: () => 1, onChange: (all) => (entries = all) });
  boxes.push(made);
  return made;
}

function written(photos = 0): ReportEntry {
  const entry = blank(randomUUID(), now);
  const place = { lon: 118.9, lat: 31.3, accuracy: 40, datum: "gcj02", by: "device", at: now } as const;
  return {
    ...entry,
    draft: { ...entry.draft, matter: "2103", place },
    photos: Array.from({ length: photos }, (_, i) => ({
      id: `p${i}`,
      blob: new Blob(["jpeg"]),
      width: 1,
      height: 1,
      sha256: null,
    })),
  };
}

const one = (id: string): Entry | undefined => entries.find((entry) => entry.id === id);
const kinds = (): string[] => office.at.calls;

/** What `navigator.locks` does with `ifAvailable`, between the tabs that are given the same one. */
function webLock(): Lock {
  let held = false;
  return async (task) => {
    if (held) return;
    held = true;
    await task().finally(() => (held = false));
  };
}

const reached = (calls: number): Promise<void> => vi.waitFor(() => expect(kinds()).toHaveLength(calls));

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
    office.at.weather = ["fair", "cut"];
    const entry = written(2);
    await box.enqueue(entry);
    await box.flush();
    now += 10_000;
    await box.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    expect(kinds()).toEqual(["/photos", "/photos", "/photos", "/reports"]);
    expect(office.at.photos).toBe(2);
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
    const release = office.at.hold();
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
    office.at.weather = ["cut"];
    const release = office.at.hold();
    const entry = written();
    await store.change(entry.id, () => ({ ...entry, state: "waiting" }));
    const asleep = left.flush();
    await reached(1);
    office.at.goOn();
    now += HOLD_MS;
    await right.flush();
    expect(one(entry.id)?.state).toBe("delivered");
    release();
    await asleep;
    expect(one(entry.id)).toMatchObject({ state: "delivered", receipt: { answer: { case: "case-1" } } });
  });

  it("opens and discards only what is still refused or a draft, whatever an old list shows", async () => {
    const box = outbox();
    for (const state of ["waiting", "sending", "delivered"] as const) {
      const entry = { ...written(), state, notBefore: now + 60_000 };
      await store.change(entry.id, () => entry);
      expect(await box.amend(entry.id, (stored) => reopened(stored, randomUUID()))).toBeUndefined();
      await box.discard(entry.id);
      expect(one(entry.id)?.state).toBe(state);
    }
  });

  it("gives what was refused a fresh id once, though two tabs ask", async () => {
    const [left, right] = [outbox(), outbox()];
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
    office.at.weather = ["cut"];
    const heavy = written(1);
    await box.enqueue(heavy);
    await box.flush();
    now += 1;
    const light = written();
    office.at.weather = ["fair", "cut"];
    await box.enqueue(light);
    now += 10_000;
    await box.flush();
    expect(one(light.id)?.state).toBe("delivered");
    expect(one(heavy.id)?.state).toBe("waiting");
  });
});
