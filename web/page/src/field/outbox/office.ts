/** For the tests: a real HTTP server on loopback that keeps the interface's promise, one id, one case. */

import { randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { blank, type ReportEntry } from "./entry";

type Weather = "fair" | "lose-answer" | "cut" | "busy" | "refuse" | "sign-in-page" | "photo-gone";

type Named = { sha256: string };

export class Office {
  readonly cases = new Map<string, string>();
  readonly deeds: string[] = [];
  /** The photos that each report came with. */
  readonly pictured = new Map<string, string[]>();
  readonly evidence: string[] = [];
  /** Cases that are merged, each with the one that leads. */
  readonly merged = new Map<string, string>();
  readonly calls: string[] = [];
  photos = 0;
  weather: Weather[] = [];
  /** What is sent there is never answered. */
  hangs = "";
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
    if (this.hangs && url.endsWith(this.hangs)) return;
    if (weather === "busy") return json(503, { code: "database_unavailable", status: 503 }, { "retry-after": "7" });
    if (weather === "refuse") return json(422, { code: "outside_district", status: 422, detail: "在区外" });
    if (weather === "photo-gone") return json(422, { code: "unknown_photo", status: 422 });
    if (weather === "sign-in-page") {
      return response.writeHead(200, { "content-type": "text/html" }).end("<html>Wi-Fi</html>");
    }
    const asked = url.split("/").at(-1) ?? "";
    if (asked.startsWith("case-")) {
      const lead = this.merged.get(asked);
      return json(200, { case: asked, state: lead ? "merged" : "assigned", merged_into: lead ?? null });
    }
    if (url.endsWith("/photos") || url.endsWith("/evidence")) {
      this.photos += 1;
      return json(201, { sha256: `sha-${this.photos}`, width: 1, height: 1, bytes: body.length });
    }
    const sent = JSON.parse(body.toString()) as { id: string; action?: string; photos?: string[]; evidence?: Named[] };
    if (sent.action) {
      const lead = this.merged.get(url.split("/").at(-2) ?? "");
      if (lead) return json(409, { code: "action_not_allowed", status: 409 });
      if (!this.deeds.includes(sent.id)) this.deeds.push(sent.id);
      this.evidence.push(...(sent.evidence ?? []).map((one) => one.sha256));
      return json(200, { case: "C1", seq: 2 });
    }
    const known = this.cases.has(sent.id);
    const photos = sent.photos ?? [];
    // As the server does: what was not said is not held against it.
    if (known && photos.length && photos.join() !== this.pictured.get(sent.id)?.join()) {
      return json(409, { code: "report_conflicts", status: 409 });
    }
    if (!known) this.pictured.set(sent.id, photos);
    if (!known) this.cases.set(sent.id, `case-${this.cases.size + 1}`);
    if (weather === "lose-answer") return response.destroy();
    json(known ? 200 : 201, { case: this.cases.get(sent.id), team: {}, unit: null, decision: { notes: [] } });
  }
}

/** A report that is ready to go, with so many pictures. */
export function reportOf(now: number, photos = 0): ReportEntry {
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
