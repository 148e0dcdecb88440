/**
 * The outbox: everything goes into the store first, then it is tried, and tried again, until the server has it or
 * says no. One tab sends at a time.
 */

import type { Client } from "../../shared/client";
import { FOLLOWS_FOR_MS, following, WAITS_FOR_PHOTOS_MS } from "./after";
import {
  atRest,
  due,
  type Entry,
  hurried,
  isFollowing,
  isStill,
  nextDueIn,
  type Outcome,
  queued,
  recovered,
  settled,
  spent,
  started,
  tried,
} from "./entry";
import { attempt, localProblem, type Remember } from "./post";
import type { Store } from "./store";

/** Runs `task` if no other tab is running one; otherwise does nothing. */
export type Lock = (task: () => Promise<void>) => Promise<void>;

export interface OutboxOptions {
  store: Store;
  client: Client;
  lock: Lock;
  now?: () => number;
  random?: () => number;
  /** How long a report waits for its photos. */
  photosWithinMs?: number;
  /** Told after every change, here or in another tab. */
  onChange: (entries: Entry[]) => void;
  /** Tell the other tabs. */
  announce?: () => void;
}

/** After an attempt that reached nobody, the others are let alone for so long. */
const PAUSE_MS = 2_000;
/** Timers of a sleeping tab drift: look again at least so often while something waits. */
const LOOK_MS = 30_000;

export class Outbox {
  private readonly now: () => number;
  private readonly random: () => number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pausedUntil = 0;
  /** Ends the sending of photos that follow, which is under way. */
  private letPass: AbortController | null = null;
  private running: Promise<void> | null = null;
  private stopped = false;

  constructor(private readonly options: OutboxOptions) {
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
  }

  /** Keep an entry that is being written. Nothing is changed once it was queued, here or in another tab. */
  async save(entry: Entry): Promise<void> {
    await this.options.store.change(entry.id, (stored) => (stored && stored.state !== "draft" ? undefined : entry));
    await this.told();
  }

  /** Owe it to the server from now on. Resolves when it is safely stored, before any attempt to send. */
  async enqueue(entry: Entry): Promise<void> {
    const { store } = this.options;
    await store.change(entry.id, (stored) =>
      stored && stored.state !== "draft" ? undefined : queued(entry, this.now()),
    );
    await this.told();
    this.letPass?.abort();
    void this.flush();
  }

  /**
   * Open what was refused, or is a draft, for changes; answers what is stored now. Undefined, and nothing changed, when
   * it is neither any more: another tab was quicker.
   */
  async amend(id: string, change: (entry: Entry) => Entry): Promise<Entry | undefined> {
    let amended: Entry | undefined;
    await this.options.store.change(id, (stored) => {
      amended = stored && atRest(stored) ? change(stored) : undefined;
      return amended;
    });
    await this.told();
    return amended;
  }

  /** Remove what was refused, or is a draft. What another tab has queued meanwhile stays: it is owed. */
  async discard(id: string): Promise<void> {
    await this.options.store.remove([id], atRest);
    await this.told();
  }

  /** The signal is back, or somebody pressed 'now'. */
  async hurry(): Promise<void> {
    this.pausedUntil = 0;
    for (const { id } of await this.options.store.entries()) {
      await this.options.store.change(id, (entry) => entry && hurried(entry, this.now()));
    }
    await this.flush();
  }

  /** Send what is due. Calls while one is under way join it. */
  flush(): Promise<void> {
    this.running ??= this.options
      .lock(() => this.drain())
      .finally(async () => {
        this.running = null;
        await this.schedule();
      });
    return this.running;
  }

  /** Begins nothing more; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async drain(): Promise<void> {
    const { store } = this.options;
    // Whoever holds the lock is the only sender: what still says 'sending' was cut off.
    for (const { id, state } of await store.entries()) {
      if (state === "sending") await store.change(id, (entry) => entry && recovered(entry));
    }
    await store.remove(spent(await store.entries(), this.now()), (stored) => stored.state === "delivered");
    while (!this.stopped && this.now() >= this.pausedUntil) {
      const [first] = due(await store.entries(), this.now());
      if (!first) break;
      await this.sendOne(first.id);
    }
    await this.told();
  }

  private async sendOne(id: string): Promise<void> {
    const { store, client } = this.options;
    const entry = await store.change(id, (stored) => (stored?.state === "waiting" ? started(stored) : undefined));
    if (entry?.state !== "sending") return;
    await this.told();
    const patience = this.patienceWith(entry);
    const remember: Remember = {
      photo: async (photo, sha256) => {
        await store.change(id, (stored) =>
          stored ? { ...stored, photos: stored.photos.map((p) => (p.id === photo ? { ...p, sha256 } : p)) } : undefined,
        );
      },
      going: async (photos) => {
        await store.change(id, (stored) => (stored?.kind === "report" ? tried(stored, photos) : undefined));
      },
    };
    let outcome = await attempt(entry, client, remember, patience?.signal ?? null);
    clearTimeout(patience?.timer);
    this.letPass = null;
    const madeWay = isFollowing(entry) && patience?.signal.aborted;
    if (outcome.is === "later" && outcome.problem.status === 0 && !madeWay) this.pausedUntil = this.now() + PAUSE_MS;
    if (outcome.is === "delivered") outcome = await this.follow(id, outcome);
    await store.change(id, (stored) =>
      stored && isStill(entry, stored) ? settled(stored, outcome, this.now(), this.random()) : undefined,
    );
    await this.told();
    if (outcome.is === "delivered") await this.askWhy(id, outcome.receipt.answer.case);
  }

  /** How long the photos of a report, or those that follow one, are waited for. */
  private patienceWith(entry: Entry): { signal: AbortSignal; timer: ReturnType<typeof setTimeout> } | null {
    if (entry.kind === "deed" && !isFollowing(entry)) return null;
    const { photosWithinMs = WAITS_FOR_PHOTOS_MS } = this.options;
    const made = new AbortController();
    if (isFollowing(entry)) this.letPass = made;
    const timer = setTimeout(() => made.abort(), isFollowing(entry) ? FOLLOWS_FOR_MS : photosWithinMs);
    return { signal: made.signal, timer };
  }

  /** Owe the photos that it went without. Before it counts as delivered: a phone that dies in between forgets none. */
  private async follow(id: string, outcome: Outcome & { is: "delivered" }): Promise<Outcome> {
    const { store } = this.options;
    try {
      const report = (await store.entries()).find((entry) => entry.id === id);
      const { receipt, went } = outcome;
      const owed = report?.kind === "report" ? following(report, receipt.answer, went, this.now()) : null;
      if (owed) await store.change(owed.id, (stored) => stored ?? owed);
      return outcome;
    } catch (error) {
      // A full phone, say: the report goes again, is known, and they are owed then.
      return { is: "later", problem: localProblem("device_fault", String(error)), retryAfterMs: null };
    }
  }

  /** The reason in words; the report has arrived, so failing to get it is no failure. */
  private async askWhy(id: string, caseNumber: string): Promise<void> {
    const why = await this.options.client.why(caseNumber).catch(() => null);
    if (!why) return;
    await this.options.store.change(id, (entry) =>
      entry?.kind === "report" && entry.receipt ? { ...entry, receipt: { ...entry.receipt, why } } : undefined,
    );
    await this.told();
  }

  private async told(): Promise<void> {
    this.options.onChange(await this.options.store.entries());
    this.options.announce?.();
  }

  private async schedule(): Promise<void> {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const entries = await this.options.store.entries();
    // What another page is sending is looked at again too: that page may die.
    const wait = nextDueIn(entries, this.now()) ?? (entries.some((e) => e.state === "sending") ? LOOK_MS : null);
    if (wait === null) return;
    const paused = Math.max(0, this.pausedUntil - this.now());
    this.timer = setTimeout(() => void this.flush(), Math.min(LOOK_MS, Math.max(wait, paused, 1_000)));
  }
}
