import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { HOLD_MS, lease } from "./lease";
import { Store } from "./store";

let store: Store;
let now = 1_000_000;
const clock = (): number => now;
const never = async (): Promise<void> => {
  throw new Error("ran beside another");
};

beforeEach(async () => {
  store = await Store.open(`lease-${randomUUID()}`);
  now = 1_000_000;
});

describe("the lease over the tabs", () => {
  it("lets one run at a time, and the next when it has ended", async () => {
    const ran: string[] = [];
    await lease(
      store,
      "left",
      clock,
    )(async () => {
      ran.push("left");
      await lease(store, "right", clock)(never);
    });
    await lease(store, "right", clock)(async () => void ran.push("right"));
    expect(ran).toEqual(["left", "right"]);
  });
  it("lets one of two that ask at once run", async () => {
    const ran: string[] = [];
    const task = (tab: string) => async (): Promise<void> => {
      ran.push(tab);
      await store.entries();
    };
    await Promise.all(["left", "right"].map((tab) => lease(store, tab, clock)(task(tab))));
    expect(ran).toHaveLength(1);
  });
  it("is given back when the task fails", async () => {
    await expect(lease(store, "left", clock)(never)).rejects.toThrow("ran beside another");
    expect(await store.lease("right", now, now + HOLD_MS)).toBe(true);
  });
  it("runs out when its page is dead, and not before", async () => {
    await store.lease("dead", now, now + HOLD_MS);
    now += HOLD_MS - 1;
    expect(await store.lease("alive", now, now + HOLD_MS)).toBe(false);
    now += 1;
    expect(await store.lease("alive", now, now + HOLD_MS)).toBe(true);
  });
  it("does not outlive a clock that was set back", async () => {
    await store.lease("dead", now, now + HOLD_MS);
    now -= 3_600_000;
    expect(await store.lease("alive", now, now + HOLD_MS)).toBe(true);
  });
  it("is not another's to give back", async () => {
    await store.lease("left", now, now + HOLD_MS);
    await store.unlease("right");
    expect(await store.lease("right", now, now + HOLD_MS)).toBe(false);
    await store.unlease("left");
    expect(await store.lease("right", now, now + HOLD_MS)).toBe(true);
  });
});
