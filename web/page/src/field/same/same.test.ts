import { afterEach, describe, expect, it, vi } from "vitest";
import { Client } from "../../shared/client";
import { blank, type ReportEntry } from "../outbox/entry";
import { reportBody } from "../outbox/post";
import { alreadyOpen } from "./ask";
import { leadingCase } from "./leading";

const place = { lon: 118.9, lat: 31.3, accuracy: 12, datum: "wgs84", by: "device", at: 0 } as const;

function entry(joins?: string): ReportEntry {
  const made = blank("11111111-1111-4111-8111-111111111111", 0);
  const draft = { ...made.draft, place, matter: "2103", text: "两条船", name: "示意", phone: "000" };
  return { ...made, draft: joins === undefined ? draft : { ...draft, joins } };
}

/** A network that answers by path, and keeps what was asked. */
function network(answers: Record<string, unknown>): { client: Client; asked: [string, unknown][] } {
  const asked: [string, unknown][] = [];
  const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const path = String(url).replace("/api", "");
    asked.push([path, init?.body ? JSON.parse(String(init.body)) : null]);
    if (!(path in answers)) throw new TypeError("no network");
    return new Response(JSON.stringify(answers[path]), { headers: { "content-type": "application/json" } });
  };
  return { client: new Client({ lang: () => "zh", fetch }), asked };
}

afterEach(() => vi.unstubAllGlobals());

describe("the same thing, before it is sent", () => {
  it("is asked for without who sends it, and without an id", async () => {
    vi.stubGlobal("navigator", { onLine: true });
    const { client, asked } = network({ "/reports/duplicates": { items: [{ case: "C1" }] } });
    expect(await alreadyOpen(client, entry("C0"))).toEqual([{ case: "C1" }]);
    const [[path, body]] = asked as [[string, Record<string, unknown>]];
    expect(path).toBe("/reports/duplicates");
    expect(Object.keys(body).sort()).toEqual(
      ["accuracy_m", "datum", "lat", "lon", "matter", "photos", "seen_at", "source", "text"].sort(),
    );
  });

  it("is nothing without a network, or without an answer", async () => {
    vi.stubGlobal("navigator", { onLine: true });
    expect(await alreadyOpen(network({}).client, entry())).toEqual([]);
    vi.stubGlobal("navigator", { onLine: false });
    const { client, asked } = network({ "/reports/duplicates": { items: [{ case: "C1" }] } });
    expect(await alreadyOpen(client, entry())).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("is named only by a report that joins it", () => {
    expect(reportBody(entry("C1"), []).joins).toBe("C1");
    expect("joins" in reportBody(entry(""), [])).toBe(false);
    expect("joins" in reportBody(entry(), [])).toBe(false);
  });
});

describe("what became of a merged case", () => {
  const merged = (id: string, into: string) => ({ case: id, state: "merged", merged_into: into });

  it("is what became of the one that leads at last", async () => {
    const closed = { case: "C3", state: "closed", merged_into: null };
    const cases = { "/cases/C1": merged("C1", "C2"), "/cases/C2": merged("C2", "C3"), "/cases/C3": closed };
    expect(await leadingCase(network(cases).client, "C1")).toEqual(closed);
    expect(await leadingCase(network(cases).client, "C3")).toEqual(closed);
  });

  it("is not known while nobody answers", async () => {
    expect(await leadingCase(network({}).client, "C1")).toBeNull();
    expect(await leadingCase(network({ "/cases/C1": merged("C1", "C2") }).client, "C1")).toBeNull();
  });
});
