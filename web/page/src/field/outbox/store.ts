/** What the device keeps: everything it owes the server, and the last lists it saw. IndexedDB, shared by all tabs. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Entry } from "./entry";

interface Kept {
  value: unknown;
  at: number;
}

interface Schema extends DBSchema {
  entries: { key: string; value: Entry };
  kept: { key: string; value: Kept };
}

/** Under this key of `kept`: the page that may send, and until when. */
const LEASE = "sender";

export class Store {
  private constructor(private readonly db: IDBPDatabase<Schema>) {}

  static async open(name = "onegrid-field"): Promise<Store> {
    const db = await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore("entries", { keyPath: "id" });
        fresh.createObjectStore("kept");
      },
      // A newer page in another tab wants to upgrade: let it.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
    return new Store(db);
  }

  entries(): Promise<Entry[]> {
    return this.db.getAll("entries");
  }

  /**
   * Change one entry in one transaction. `change` is given what is stored now (undefined when nothing is) and answers
   * what shall be; undefined leaves it. Under another id it takes the old one's place: at no moment are both there, or
   * neither. Answers what is stored afterwards.
   */
  async change(id: string, change: (stored: Entry | undefined) => Entry | undefined): Promise<Entry | undefined> {
    const tx = this.db.transaction("entries", "readwrite", { durability: "strict" });
    const stored = await tx.store.get(id);
    const next = change(stored);
    if (next && next.id !== id) await tx.store.delete(id);
    if (next) await tx.store.put(next);
    await tx.done;
    return next ?? stored;
  }

  /** Remove those of them that, as they are stored now, `may` go. */
  async remove(ids: readonly string[], may: (stored: Entry) => boolean): Promise<void> {
    const tx = this.db.transaction("entries", "readwrite");
    for (const id of ids) {
      const stored = await tx.store.get(id);
      if (stored && may(stored)) await tx.store.delete(id);
    }
    await tx.done;
  }

  /**
   * Take the lease on sending, or renew it, until `until` (epoch milliseconds): true when it is `owner`'s now, false
   * while another's holds. One that reaches beyond `until` was written by a clock that has been set back since.
   */
  async lease(owner: string, now: number, until: number): Promise<boolean> {
    const tx = this.db.transaction("kept", "readwrite", { durability: "strict" });
    const held = await tx.store.get(LEASE);
    const free = !held || held.value === owner || held.at <= now || held.at > until;
    if (free) await tx.store.put({ value: owner, at: until }, LEASE);
    await tx.done;
    return free;
  }

  /** Give the lease back; another's is left alone. */
  async unlease(owner: string): Promise<void> {
    const tx = this.db.transaction("kept", "readwrite");
    if ((await tx.store.get(LEASE))?.value === owner) await tx.store.delete(LEASE);
    await tx.done;
  }

  async keep(key: string, value: unknown, at: number): Promise<void> {
    await this.db.put("kept", { value, at }, key);
  }

  async kept<T>(key: string): Promise<{ value: T; at: number } | undefined> {
    return (await this.db.get("kept", key)) as { value: T; at: number } | undefined;
  }

  close(): void {
    this.db.close();
  }
}
