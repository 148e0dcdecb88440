/**
 * One sender over all tabs where a page has no Web Locks (plain HTTP by name): a lease in the store that they share,
 * renewed while its page lives and left to run out when the page dies.
 */

import type { Lock } from "./outbox";
import type { Store } from "./store";

/** A hidden tab's timers run once a minute: the lease holds for longer than that, so that only the dead lose it. */
export const HOLD_MS = 90_000;
const RENEW_MS = 20_000;

/** Runs a task while `owner`, a name that no other page has, holds the lease; does nothing while another holds it. */
export function lease(store: Store, owner: string, now: () => number = Date.now): Lock {
  const take = (): Promise<boolean> => store.lease(owner, now(), now() + HOLD_MS);
  return async (task) => {
    if (!(await take())) return;
    const renew = setInterval(() => void take().catch(() => undefined), RENEW_MS);
    try {
      await task();
    } finally {
      clearInterval(renew);
      await store.unlease(owner);
    }
  };
}
