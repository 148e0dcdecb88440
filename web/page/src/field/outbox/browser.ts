/** The outbox in a browser: a lock over all tabs, and the moments at which sending is worth a try. */

import type { Client } from "../../shared/client";
import { uuid } from "../../shared/uuid";
import type { Entry } from "./entry";
import { lease } from "./lease";
import { type Lock, Outbox } from "./outbox";
import { Store } from "./store";

const NAME = "onegrid-outbox";

/** Web Locks where there are any (every secure page); else a lease in the store. */
function browserLock(store: Store): Lock {
  if (!("locks" in navigator)) {
    const owner = uuid();
    // The page goes, and what it was sending with it: the next one need not wait until the lease has run out.
    window.addEventListener("pagehide", () => void store.unlease(owner));
    return lease(store, owner);
  }
  return async (task) => {
    await navigator.locks.request(NAME, { ifAvailable: true }, async (lock) => {
      if (lock) await task();
    });
  };
}

export interface Field {
  outbox: Outbox;
  store: Store;
}

/** Opens the store and begins to send what is owed: now, when the network returns, when the page is looked at again. */
export async function openField(client: Client, onChange: (entries: Entry[]) => void): Promise<Field> {
  const store = await Store.open();
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;
  const outbox = new Outbox({
    store,
    client,
    lock: browserLock(store),
    onChange,
    announce: () => channel?.postMessage("changed"),
  });
  channel?.addEventListener("message", () => void store.entries().then(onChange));
  window.addEventListener("online", () => void outbox.hurry());
  window.addEventListener("pageshow", () => void outbox.flush());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void outbox.flush();
  });
  onChange(await store.entries());
  void outbox.flush();
  return { outbox, store };
}

/** Ask the browser not to clear what is kept here when the phone runs short of space. */
export async function askToPersist(): Promise<boolean> {
  return (await navigator.storage?.persist?.()) ?? false;
}
