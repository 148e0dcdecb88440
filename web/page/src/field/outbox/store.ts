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
   * what shall be; undefined leaves it. Answers what is stored afterwards.
   */
  async change(id: string, change: (stored: Entry | undefined) => Entry | undefined): Promise<Entry | undefined> {
    const tx = this.db.transaction("entries", "readwrite", { durability: "strict" });
    const stored = await tx.store.get(id);
    const next = change(stored);
    if (next) await tx.store.put(next);
    await tx.done;
    return next ?? stored;
  }

  /** Put one in the place of another in one transaction: at no moment are both there, or neither. */
  async replace(id: string, next: Entry): Promise<void> {
    const tx = this.db.transaction("entries", "readwrite", { durability: "strict" });
    await tx.store.delete(id);
    await tx.store.put(next);
    await tx.done;
  }

  async remove(ids: readonly string[]): Promise<void> {
    const tx = this.db.transaction("entries", "readwrite");
    for (const id of ids) await tx.store.delete(id);
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
