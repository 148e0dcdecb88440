/** Reads the district and the cases into the store. */

import type { Client } from "../shared/client";
import { OVER } from "../shared/states";
import type { CaseEvent, District, Named, State, ZoneCollection } from "../shared/types";
import type { Filter, Moment } from "./filter";
import type { Store } from "./state";

/** Closed cases are only read when asked for, and no further back than this many. */
const OVER_AT_MOST = 3000;

export class Reader {
  readonly layers = new Map<string, ZoneCollection>();
  private reading: Promise<void> | null = null;
  private readonly overRead = new Set<State>();
  private readonly heard = new Set<string>();

  /** `changed` is told after each page, so that the first cases are seen before the last are read. */
  constructor(
    private readonly store: Store,
    private readonly client: Client,
    private readonly changed: () => void,
  ) {}

  /** The district's layers not read yet, the small ones first: each is drawn as it comes, and a missing one is named. */
  async zones(district: District, show: (name: string, zones: ZoneCollection) => void): Promise<void> {
    const rank = (name: string): number => ["district", "township", "water", "roads", "joint"].indexOf(name) >>> 0;
    const names = new Set(["district", "roads", "bases", ...district.layers.map((layer) => layer.name)]);
    const failed: string[] = [];
    for (const name of [...names].sort((a, b) => rank(a) - rank(b))) {
      if (this.layers.has(name)) continue;
      try {
        const zones = await this.client.zones(name);
        this.layers.set(name, zones);
        show(name, zones);
        const { places, extras } = this.store.state;
        if (name === "roads" || name === "bases") {
          const { real, source, label, label_en } = zones;
          const info = { name, label, label_en, real, source, count: zones.features.length };
          this.store.set({ extras: [...extras, info] });
        } else if (name !== "grid") this.store.set({ places: new Map(places).set(name, namesOf(zones)) });
      } catch {
        failed.push(name);
      }
    }
    this.store.set({ failedLayers: failed });
  }

  /** A case came by the stream: a list that is being read may be too old to hold it. */
  hear(id: string): void {
    if (this.reading) this.heard.add(id);
  }

  /** All open cases and all of today's, with the day's totals; one reading at a time. */
  cases(moment: Moment): Promise<void> {
    this.reading ??= this.all(moment).finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  /** As `cases`; a reading that is under way may be too old and is not enough. */
  async anew(moment: () => Moment): Promise<void> {
    await this.reading?.catch(() => undefined);
    await this.cases(moment());
  }

  private async all(moment: Moment): Promise<void> {
    const { store, client } = this;
    this.heard.clear();
    const listed = new Set<string>();
    const page = (items: CaseEvent["case"][]): void => {
      for (const item of items) {
        listed.add(item.case);
        store.book.merge(item);
      }
      if (store.state.loading.kind !== "ready") store.set({ loading: { kind: "cases", read: listed.size } });
      this.changed();
    };
    const [counters] = await Promise.all([
      client.counters(),
      client.everyCase({ open: true }, page),
      client.everyCase({ from: new Date(moment.startOfDay).toISOString() }, page),
    ]);
    for (const id of this.heard) listed.add(id);
    this.heard.clear();
    store.book.retain(listed);
    this.overRead.clear();
    store.set({
      loading: { kind: "ready" },
      day: { received: counters.received_today, closed: counters.closed_today },
    });
    void this.over(store.state.filter);
    this.changed();
  }

  /** Cases that nothing is left to be done to, newest first: only those that a filter asks for. */
  async over({ show, state: wanted }: Pick<Filter, "show" | "state">): Promise<void> {
    const state = wanted && OVER.has(wanted) ? wanted : show === "closed_today" ? "closed" : null;
    if (!state || this.overRead.has(state)) return;
    this.overRead.add(state);
    let cursor: string | null = null;
    let read = 0;
    try {
      do {
        const page: Awaited<ReturnType<Client["cases"]>> = await this.client.cases({
          state,
          limit: 1000,
          ...(cursor ? { cursor } : {}),
        });
        for (const item of page.items) this.store.book.merge(item);
        read += page.items.length;
        cursor = page.next;
        this.changed();
      } while (cursor && read < OVER_AT_MOST);
    } catch {
      this.overRead.delete(state);
    }
  }
}

function namesOf(zones: ZoneCollection): ReadonlyMap<string, Named> {
  const names = new Map<string, Named>();
  for (const { properties } of zones.features) {
    if (!properties) continue;
    const code = String(properties.code);
    names.set(code, { code, name: String(properties.name ?? code), name_en: String(properties.name_en ?? "") });
  }
  return names;
}
