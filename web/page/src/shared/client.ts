/** Every call of the HTTP interface, by the question it asks. What is refused is thrown as a `Refused`. */

import type { Dispute, DraftRow, EvidenceKind, Kept, OrdersAnswer, PowerPage, Proof } from "./casework";
import type { Duplicate, Incident, Reporter } from "./duplicates";
import type {
  Case,
  CaseDetail,
  CasePage,
  CaseQuery,
  Contact,
  Counters,
  District,
  Health,
  Lang,
  Matter,
  Matters,
  NewAction,
  NewReport,
  Page,
  PhotoAnswer,
  Plan,
  PlanAcceptance,
  PlanAnswer,
  Problem,
  ReportAnswer,
  Team,
  Unit,
  Way,
  Why,
  ZoneCollection,
} from "./types";

/** The server answered, and said no: `problem.code` is stable, `problem.detail` is in the language asked for. */
export class Refused extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds after which the same request may be sent again, where the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail || problem.title);
    this.name = "Refused";
  }
}

/** No answer came: there is no network, or no server. The request may or may not have arrived. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("unreachable", { cause });
    this.name = "Unreachable";
  }
}

/** Milliseconds that a reading may take. */
const READ_WITHIN = 60_000;

type Query = Record<string, string | number | boolean | readonly number[] | undefined>;

export interface ClientOptions {
  base?: string;
  lang: () => Lang;
  fetch?: typeof fetch;
}

export class Client {
  readonly base: string;
  private readonly lang: () => Lang;
  private readonly fetch: typeof fetch;

  constructor(options: ClientOptions) {
    this.base = options.base ?? "/api";
    this.lang = options.lang;
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  report(report: NewReport, signal?: AbortSignal): Promise<ReportAnswer> {
    return this.post("/reports", report, signal);
  }

  /** The open cases that a report, not sent yet, may be the same as. */
  duplicates(draft: NewReport, signal?: AbortSignal): Promise<{ items: Duplicate[] }> {
    return this.post("/reports/duplicates", draft, signal);
  }

  /** The open cases that this one may be the same as. */
  duplicatesOf(id: string): Promise<{ items: Duplicate[] }> {
    return this.get(`/cases/${encodeURIComponent(id)}/duplicates`);
  }

  reporters(id: string): Promise<{ items: Reporter[] }> {
    return this.get(`/cases/${encodeURIComponent(id)}/reporters`);
  }

  incidents(): Promise<{ items: Incident[] }> {
    return this.get("/incidents");
  }

  photo(file: Blob, name = "photo.jpg", signal?: AbortSignal): Promise<PhotoAnswer> {
    const form = new FormData();
    form.append("file", file, name);
    return this.send("/photos", { method: "POST", body: form, ...(signal ? { signal } : {}) });
  }

  /** Keeps an original byte for byte. */
  evidence(file: Blob, name: string, kind: EvidenceKind, signal?: AbortSignal): Promise<Kept> {
    const form = new FormData();
    form.append("kind", kind);
    form.append("file", file, name);
    return this.send("/evidence", { method: "POST", body: form, ...(signal ? { signal } : {}) });
  }

  photoUrl(sha256: string, size?: "thumb"): string {
    return `${this.base}/photos/${sha256}${size ? `?size=${size}` : ""}`;
  }

  cases(query: CaseQuery): Promise<CasePage> {
    return this.get("/cases", { ...query });
  }

  /** All cases of a query, page after page; `onPage` is told of each as it comes. */
  async everyCase(query: CaseQuery, onPage: (items: Case[]) => void): Promise<void> {
    for await (const page of this.pages<CasePage>("/cases", { limit: 1000, ...query })) onPage(page.items);
  }

  case(id: string): Promise<CaseDetail> {
    return this.get(`/cases/${encodeURIComponent(id)}`);
  }

  why(id: string): Promise<Why> {
    return this.get(`/cases/${encodeURIComponent(id)}/why`);
  }

  way(id: string): Promise<Way> {
    return this.get(`/cases/${encodeURIComponent(id)}/way`);
  }

  act(id: string, action: NewAction): Promise<Case & Pick<CaseDetail, "actions">> {
    return this.post(`/cases/${encodeURIComponent(id)}/actions`, action);
  }

  /** What is best for all who wait, as things are. */
  assignment(): Promise<Plan> {
    return this.get("/assignment");
  }

  accept(acceptance: PlanAcceptance): Promise<PlanAnswer> {
    return this.post("/assignment", acceptance);
  }

  /** Many orders, each done or refused by itself. */
  actOnMany(orders: readonly (NewAction & { case: string })[]): Promise<OrdersAnswer> {
    return this.post("/cases/actions", { orders });
  }

  /** Who reported a case; that it was asked for is recorded before it is answered. */
  contact(id: string, asking: { id: string; actor: string; reason: string }): Promise<{ contact: Contact }> {
    return this.post(`/cases/${encodeURIComponent(id)}/contact`, asking);
  }

  disputes(open: boolean): Promise<Page<Dispute>> {
    return this.get("/disputes", { open, limit: 200 });
  }

  dispute(id: string): Promise<Dispute> {
    return this.get(`/disputes/${encodeURIComponent(id)}`);
  }

  draftRow(id: string): Promise<DraftRow> {
    return this.get(`/disputes/${encodeURIComponent(id)}/draft-row`);
  }

  powers(q: string, limit = 12): Promise<PowerPage> {
    return this.get("/powers", { q, limit });
  }

  proof(id: string): Promise<Proof> {
    return this.get(`/cases/${encodeURIComponent(id)}/proof`);
  }

  evidenceUrl(sha256: string, size?: "thumb"): string {
    return `${this.base}/evidence/${sha256}${size ? `?size=${size}` : ""}`;
  }

  counters(): Promise<Counters> {
    return this.get("/counters");
  }

  zones(layer: string, bbox?: readonly [number, number, number, number]): Promise<ZoneCollection> {
    return this.get(`/zones/${encodeURIComponent(layer)}`, { bbox });
  }

  zonesUrl(layer: string): string {
    return `${this.base}/zones/${encodeURIComponent(layer)}`;
  }

  district(): Promise<District> {
    return this.get("/district");
  }

  async matters(): Promise<Matters> {
    const all: Matters = { version: "", classes: [], items: [] };
    for await (const { version, classes, items } of this.pages<Page<Matter> & Matters>("/matters")) {
      Object.assign(all, { version, classes }).items.push(...items);
    }
    return all;
  }

  teams(): Promise<Team[]> {
    return this.everyOne("/teams");
  }

  units(): Promise<Unit[]> {
    return this.everyOne("/units");
  }

  health(): Promise<Health> {
    return this.get("/health");
  }

  private async everyOne<T>(path: string): Promise<T[]> {
    const all: T[] = [];
    for await (const page of this.pages<Page<T>>(path)) all.push(...page.items);
    return all;
  }

  /** A list's pages, until the last. */
  private async *pages<P extends { next: string | null }>(path: string, query: Query = {}): AsyncGenerator<P> {
    let cursor: string | null = null;
    do {
      const page: P = await this.get<P>(path, { ...query, ...(cursor ? { cursor } : {}) });
      yield page;
      cursor = page.next;
    } while (cursor);
  }

  private get<T>(path: string, query: Query = {}): Promise<T> {
    const words = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined && value !== "") words.set(key, Array.isArray(value) ? value.join(",") : String(value));
    }
    const tail = words.toString();
    return this.send(tail ? `${path}?${tail}` : path, {});
  }

  private post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const headers = { "content-type": "application/json" };
    return this.send(path, { method: "POST", headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) });
  }

  private async send<T>(path: string, init: RequestInit): Promise<T> {
    const headers = new Headers(init.headers);
    headers.set("accept", "application/json, application/problem+json");
    headers.set("accept-language", this.lang() === "zh" ? "zh-CN, zh;q=0.9, en;q=0.5" : "en, zh;q=0.5");
    // A reading that hangs on a dead line ends; a sending may take as long as a weak signal needs.
    const signal = init.signal ?? (init.method === "POST" ? null : AbortSignal.timeout(READ_WITHIN));
    let answer: Response;
    try {
      answer = await this.fetch(this.base + path, { ...init, headers, signal });
    } catch (cause) {
      throw new Unreachable(cause);
    }
    if (!answer.ok) throw new Refused(await problemOf(answer), retryAfterOf(answer));
    try {
      return (await answer.json()) as T;
    } catch (cause) {
      throw new Unreachable(cause);
    }
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const bare: Problem = {
    code: `http_${answer.status}`,
    title: answer.statusText || `HTTP ${answer.status}`,
    detail: "",
    status: answer.status,
  };
  if (!(answer.headers.get("content-type") ?? "").includes("json")) return bare;
  try {
    return { ...bare, ...((await answer.json()) as Partial<Problem>) };
  } catch {
    return bare;
  }
}

function retryAfterOf(answer: Response): number | null {
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}
