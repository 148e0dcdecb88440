/** Everything that happens at the desk: loading, the live stream, choosing, acting. The screen only reads the store. */

import type { OrderAnswer } from "../shared/casework";
import { type Client, Unreachable } from "../shared/client";
import { type Link, Live } from "../shared/events";
import { nameOf } from "../shared/i18n";
import { HOLDS_UNIT } from "../shared/states";
import { startOfDay } from "../shared/time";
import type { Case, CaseEvent, NewAction, Role, UnitPosition } from "../shared/types";
import { byAttention, byNewest, look, type Row } from "./attention";
import { count, tally } from "./book";
import { type Filter, type Moment, matches, readHash, writeHash } from "./filter";
import type { MapView } from "./map-view";
import { Notices } from "./notices/notices";
import { type Outcome, outcomeOf, said } from "./order";
import type { Pin } from "./pin";
import { Reader } from "./reader";
import { nameKey, rememberSeat, type Seat } from "./seat";
import type { Store } from "./state";
import { t } from "./text";
import { WayReader } from "./way";
import { w } from "./words";

/** The list is put in order again at most this often; the map does not wait for it. */
const LIST_EVERY = 200;
const FRESH_FOR = 2600;
/** A look at whether this page and the server still count alike, and whether there is still a line. */
const COMPARE_EVERY = 20_000;

export class Desk {
  private view: MapView | null = null;
  private listTimer: ReturnType<typeof setTimeout> | undefined;
  private mapFrame = 0;
  private live: Live | null = null;
  private today = 0;
  /** Of the readings of a case's reasons: the last that was asked for, and the last of those that were answered. */
  private asked = 0;
  private answered = { detail: 0, why: 0 };
  private readonly reader: Reader;
  private readonly ways: WayReader;
  /** What concerns whoever looks at this page. */
  readonly notices: Notices;

  constructor(
    readonly store: Store,
    readonly client: Client,
  ) {
    this.reader = new Reader(store, client, () => {
      this.list();
      this.mapSoon();
    });
    this.notices = new Notices(globalThis.sessionStorage ?? null, () => this.store.set({}));
    this.ways = new WayReader(client, (line) => this.view?.over.showWay(line));
  }

  /** The moment that lateness is measured by. */
  moment(): Moment {
    const { district } = this.store.state;
    const now = Date.now();
    return {
      now,
      startOfDay: startOfDay(now, district?.timezone ?? "Asia/Shanghai"),
      unclaimedAfter: (district?.unclaimed_after_min ?? 30) * 60_000,
    };
  }

  async start(): Promise<void> {
    const { store, client } = this;
    const { selected } = readHash(location.hash);
    this.readAddress();
    store.set({ loading: { kind: "district" } });
    try {
      const [district, matters, teams, units] = await Promise.all([
        client.district(),
        client.matters(),
        client.teams(),
        client.units(),
      ]);
      store.set({
        district,
        matters,
        teams: new Map(teams.map((team) => [team.code, team])),
        units: new Map(units.map((unit) => [unit.code, unit])),
      });
      this.today = this.moment().startOfDay;
      void this.readLayers();
      await this.listen();
      await this.reader.cases(this.moment());
      this.listNow();
    } catch (error) {
      store.set({ loading: { kind: "failed", message: said(error) } });
      return;
    }
    if (selected) this.openCase(selected);
  }

  /** Clocks that run as long as the page does. */
  keepTime(): void {
    setInterval(() => this.tick(), 1000);
    setInterval(() => void this.compare(), COMPARE_EVERY);
    window.addEventListener("hashchange", () => this.readAddress());
    window.addEventListener("offline", () => this.linked("lost"));
    window.addEventListener("online", () => this.live?.restart());
  }

  setView(view: MapView): void {
    this.view = view;
    for (const [name, zones] of this.reader.layers) view.zones(name, zones);
    for (const name of this.store.state.hidden) view.switchLayer(name, false);
    this.redrawCases();
    view.units(this.store.state.units);
    this.showSelection();
  }

  /** What is drawn, and what is listed, from now on. */
  setFilter(patch: Partial<Filter>): void {
    const filter = { ...this.store.state.filter, ...patch };
    this.store.set({ filter });
    this.writeAddress();
    this.list();
    this.redrawCases();
    void this.reader.over(filter);
  }

  moveCursor(by: number): void {
    const { rows, cursor } = this.store.state;
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => row.held.c.case === cursor);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (!next) return;
    this.store.set({ cursor: next.held.c.case });
    if (this.store.state.open) this.openCase(next.held.c.case);
    else this.showSelection();
  }

  openCase(id: string): void {
    if (!id) return;
    if (this.store.state.open?.id !== id) {
      this.store.set({ cursor: id, open: { id, detail: null, why: null, failed: "", whyFailed: "" }, notice: null });
    }
    this.writeAddress();
    this.showSelection();
    void this.readCase(id);
  }

  closeCase(): void {
    this.store.set({ open: null, notice: null });
    this.writeAddress();
    this.showSelection();
  }

  /** Brings the chosen case to the middle of the map; where only one thing fits on the screen, that is then the map. */
  centre(): void {
    if (matchMedia("(max-width: 899px)").matches) {
      this.closeCase();
      this.store.set({ tab: "map" });
    }
    this.showSelection(true);
  }

  switchLayer(name: string, on: boolean): void {
    const hidden = new Set(this.store.state.hidden);
    if (on) hidden.delete(name);
    else hidden.add(name);
    this.store.set({ hidden });
    this.view?.switchLayer(name, on);
  }

  get map(): MapView | null {
    return this.view;
  }

  /** Puts the pin that says where the open case really is; null takes it away. */
  setPin(pin: Pin | null): void {
    this.store.set({ pin });
    this.view?.pin(pin, (next) => this.setPin(next));
  }

  /** As whom one acts from now on. */
  sit(patch: Partial<Seat>): void {
    const seat = { ...this.store.state.seat, ...patch };
    this.store.set({ seat });
    rememberSeat(seat);
  }

  /** The name under which one acts here as somebody, unless another is typed. */
  nameAs(role: Role, team: string): string {
    const { seat, teams } = this.store.state;
    const found = teams.get(team);
    const usual = role === "dispatcher" ? t("do.seat") : role === "team" && found ? nameOf(found) : w(`role.${role}`);
    return seat.names[nameKey(role, team)] ?? usual;
  }

  /** Does one thing to a case. A 409 says what happened meanwhile; the panel is then read again. */
  async act(caseId: string, order: NewAction): Promise<Outcome> {
    try {
      this.done(await this.client.act(caseId, order));
      await this.readCase(caseId);
      return { kind: "done" };
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome.kind !== "unsure") await this.readCase(caseId);
      return outcome;
    }
  }

  /** What was done here is no news. */
  private done(changed: Case): void {
    this.notices.own(changed);
    this.take(changed);
  }

  /** Does one thing to each of many cases; the answers in their order. */
  async actOnMany(orders: readonly (NewAction & { case: string })[]): Promise<readonly OrderAnswer[]> {
    const { answers } = await this.client.actOnMany(orders);
    for (const { answer } of answers) if (answer) this.done(answer);
    const { open } = this.store.state;
    if (open && answers.some((one) => one.case === open.id)) void this.readCase(open.id);
    return answers;
  }

  /** Begins and ends the choosing of several cases. */
  chooseSeveral(on: boolean): void {
    this.store.set({ chosen: on ? new Set() : null });
  }

  /** Chooses a case, or no longer; begins the choosing if need be. */
  choose(id: string): void {
    if (!id) return;
    const chosen = new Set(this.store.state.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.store.set({ chosen });
  }

  /** Reads the open case and its reasons again. */
  async readCase(id: string): Promise<void> {
    const { client, store } = this;
    const put = (patch: Partial<NonNullable<typeof store.state.open>>): void => {
      const { open } = store.state;
      if (open?.id === id) store.set({ open: { ...open, ...patch } });
    };
    this.asked += 1;
    const mine = this.asked;
    // Answers may overtake each other: what is shown never goes back a step, and no old failure hides it.
    const isNews = (of: keyof typeof this.answered): boolean => {
      if (mine < this.answered[of]) return false;
      this.answered[of] = mine;
      return true;
    };
    const detail = client.case(id).then(
      (value) => {
        const { open } = store.state;
        isNews("detail");
        if (open?.id !== id || value.seq >= (open.detail?.seq ?? 0)) put({ detail: value, failed: "" });
        this.take(value);
        this.showSelection();
      },
      (error: unknown) => isNews("detail") && put({ failed: said(error) }),
    );
    const why = client.why(id).then(
      (value) => isNews("why") && put({ why: value, whyFailed: "" }),
      (error: unknown) => isNews("why") && put({ whyFailed: said(error) }),
    );
    await Promise.all([detail, why]);
  }

  private listen(): Promise<void> {
    this.live?.stop();
    return new Promise((ready) => {
      // Lists are read once the stream is open, so that nothing falls between; a dead stream must not hold them up.
      let impatient = false;
      const patience = setTimeout(() => {
        impatient = true;
        ready();
      }, 2000);
      this.live = new Live({
        url: `${this.client.base}/events`,
        onEvent: (event) => this.told(event),
        onPositions: (positions) => this.moved(positions),
        onEdition: (version) => this.store.set({ edition: version }),
        onReset: () => void this.catchUp(),
        onLink: (link) => {
          this.linked(link);
          if (link !== "open") return;
          clearTimeout(patience);
          ready();
          // What happened between the lists and the line is in neither.
          if (impatient) void this.catchUp();
          impatient = false;
        },
      });
      this.live.start();
    });
  }

  /** Reads the lists again, and the open case where they hold a later step of it. */
  private async catchUp(): Promise<void> {
    try {
      await this.reader.anew(() => this.moment());
    } catch {
      return; // the comparison with the server's figures, or the next reset, asks again
    }
    const { open } = this.store.state;
    if (open && (this.store.book.get(open.id)?.c.seq ?? 0) > (open.detail?.seq ?? 0)) await this.readCase(open.id);
  }

  private async readLayers(): Promise<void> {
    const { district } = this.store.state;
    this.store.set({ failedLayers: [] });
    if (district) await this.reader.zones(district, (name, zones) => this.view?.zones(name, zones));
  }

  private linked(link: Link): void {
    const { lostAt, failedLayers } = this.store.state;
    // Who went back to its base meanwhile is not told of again.
    if (link === "open" && lostAt) void this.readUnits();
    this.store.set({ link, lostAt: link === "lost" ? lostAt || Date.now() : 0 });
    if (link === "open" && failedLayers.length > 0) void this.readLayers();
  }

  private told(event: CaseEvent): void {
    const { store } = this;
    this.reader.hear(event.case.case);
    this.notices.hear(event, store.book.get(event.case.case)?.c ?? null, store.state.filter.team);
    const isNew = event.action === "report" && !store.book.get(event.case.case);
    const before = store.book.get(event.case.case) ?? null;
    store.set({ day: tally(store.state.day, event, this.today, before) });
    // Closed before this page was opened: whether that was today, the server knows.
    if (event.action === "reopen" && !before) void this.compare();
    if (isNew) {
      const fresh = new Map(store.state.fresh);
      fresh.set(event.case.case, Date.now() + FRESH_FOR);
      store.set({ fresh });
    }
    this.take(event.case);
    const { open } = store.state;
    if (open?.id === event.case.case && (open.detail?.seq ?? 0) < event.seq) void this.readCase(open.id);
  }

  /** One case, newer than the one held: into the book, its unit into the right state, then onto the screen. */
  private take(c: CaseEvent["case"]): void {
    const before = this.store.book.get(c.case)?.c;
    if (!this.store.book.merge(c)) return;
    this.busyUnits(c, before?.unit ?? null);
    this.list();
    this.mapSoon();
  }

  private busyUnits(c: CaseEvent["case"], before: string | null): void {
    const units = new Map(this.store.state.units);
    const set = (code: string, on: string | null): void => {
      const unit = units.get(code);
      if (unit && unit.case !== on) units.set(code, { ...unit, case: on });
    };
    const holds = c.unit && HOLDS_UNIT.has(c.state);
    for (const code of [before, c.unit]) if (code && units.get(code)?.case === c.case) set(code, null);
    if (c.unit && holds) set(c.unit, c.case);
    this.store.set({ units });
  }

  /** Units stand elsewhere now. */
  private moved(positions: readonly UnitPosition[]): void {
    const units = new Map(this.store.state.units);
    for (const { unit: code, ...where } of positions) {
      const unit = units.get(code);
      if (unit) units.set(code, { ...unit, ...where });
    }
    this.store.set({ units });
    this.mapSoon();
    const { open, cursor } = this.store.state;
    const chosen = this.store.book.get(open?.id ?? cursor)?.c.unit;
    if (positions.some(({ unit }) => unit === chosen)) this.showSelection();
  }

  private async readUnits(): Promise<void> {
    const units = await this.client.units().catch(() => null);
    if (!units) return;
    this.store.set({ units: new Map(units.map((unit) => [unit.code, unit])) });
    this.mapSoon();
    this.showSelection();
  }

  /** An eight-hour page checks itself: when the server counts otherwise while nothing moves, the lists are read again. */
  private async compare(): Promise<void> {
    if (this.store.state.link !== "open" || this.store.state.loading.kind !== "ready") return;
    try {
      const before = count(this.store.book, this.moment(), this.store.state.day);
      const theirs = await this.client.counters();
      const after = count(this.store.book, this.moment(), this.store.state.day);
      this.store.set({ day: { received: theirs.received_today, closed: theirs.closed_today } });
      if (before.open === after.open && after.open !== theirs.open) await this.reader.cases(this.moment());
    } catch (error) {
      // A line that died without a word is noticed here: the stream alone could stay silent for long.
      if (error instanceof Unreachable && this.store.state.link === "open") this.live?.restart();
    }
  }

  private tick(): void {
    const moment = this.moment();
    const { fresh } = this.store.state;
    const still = new Map([...fresh].filter(([, until]) => until > moment.now));
    this.store.set({ now: moment.now, ...(still.size !== fresh.size ? { fresh: still } : {}) });
    if (this.today && moment.startOfDay !== this.today) {
      this.today = moment.startOfDay;
      void this.reader.cases(this.moment());
    }
    if (this.store.state.loading.kind === "ready")
      this.notices.watch(this.store.book.all(), moment.now, this.store.state.filter.team);
    this.list();
    this.redrawCases();
  }

  private list(): void {
    this.listTimer ??= setTimeout(() => {
      this.listTimer = undefined;
      this.listNow();
    }, LIST_EVERY);
  }

  private listNow(): void {
    const { store } = this;
    const moment = this.moment();
    const test = matches(store.state.filter, moment);
    const rows: Row[] = [];
    for (const held of store.book.all()) {
      if (test(held)) rows.push({ held, look: look(held, moment.now, moment.unclaimedAfter) });
    }
    rows.sort(store.state.filter.sort === "newest" ? byNewest : byAttention);
    store.set({ rows, counters: count(store.book, moment, store.state.day) });
  }

  private mapSoon(): void {
    if (this.mapFrame || !this.view) return;
    this.mapFrame = requestAnimationFrame(() => {
      this.mapFrame = 0;
      const moment = this.moment();
      const { book, state } = this.store;
      this.view?.over.updateCases(book.drain(), book, moment, matches(state.filter, moment));
      this.view?.units(state.units);
    });
  }

  private redrawCases(): void {
    const moment = this.moment();
    this.store.book.drain();
    this.view?.over.updateCases(null, this.store.book, moment, matches(this.store.state.filter, moment));
  }

  private showSelection(centre = false): void {
    const { open, cursor, units } = this.store.state;
    const id = open?.id ?? cursor;
    const c = this.store.book.get(id)?.c ?? (open?.detail?.case === id ? open.detail : null);
    const unit = c?.unit ? units.get(c.unit) : undefined;
    this.view?.select(c, unit, centre);
    if (this.view) void this.ways.choose(c, unit);
  }

  private readAddress(): void {
    const { selected, ...filter } = readHash(location.hash);
    const now = this.store.state;
    if (JSON.stringify(filter) !== JSON.stringify(now.filter)) this.setFilter(filter);
    if (now.loading.kind !== "ready" || selected === (now.open?.id ?? "")) return;
    if (selected) this.openCase(selected);
    else this.closeCase();
  }

  private writeAddress(): void {
    const { filter, open } = this.store.state;
    const hash = writeHash({ ...filter, selected: open?.id ?? "" });
    if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
  }
}
