import { afterEach, describe, expect, it, vi } from "vitest";
import { Client, Refused, Unreachable } from "./client";
import { Demonstration, EN, ZH } from "./demonstration";
import { type Link, Live, Seen, type StreamLike } from "./events";
import { fill, firstLang } from "./i18n";
import { pointInside } from "./label-points";
import { clock, distance, span, startOfDay } from "./time";
import type { District, UnitPosition } from "./types";
import { uuid } from "./uuid";

class Stream implements StreamLike {
  readyState = 0;
  readonly told = new Map<string, (event: MessageEvent<string>) => void>();
  constructor(readonly url: string) {}
  addEventListener(type: string, tell: (event: MessageEvent<string>) => void): void {
    this.told.set(type, tell);
  }
  close(): void {
    this.readyState = 2;
  }
  fire(type: string, data: unknown = {}, lastEventId = ""): void {
    this.told.get(type)?.({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>);
  }
}

function listening() {
  const streams: Stream[] = [];
  const events: number[] = [];
  const positions: UnitPosition[] = [];
  const links: Link[] = [];
  const editions: string[] = [];
  let resets = 0;
  const live = new Live({
    url: "/api/events",
    onEvent: (event) => events.push(event.event),
    onPositions: (some) => positions.push(...some),
    onReset: () => resets++,
    onEdition: (version) => editions.push(version),
    onLink: (link) => links.push(link),
    open: (url) => {
      const stream = new Stream(url);
      streams.push(stream);
      return stream;
    },
    wait: () => 100,
  });
  live.start();
  return { live, streams, events, positions, links, editions, resets: () => resets };
}

afterEach(() => vi.useRealTimers());

describe("the live stream", () => {
  it("tells each event once, also when it comes again after a reconnect", () => {
    const { streams, events } = listening();
    const [stream] = streams;
    stream?.fire("case", { event: 7 }, "a");
    stream?.fire("case", { event: 6 }, "b");
    stream?.fire("case", { event: 7 }, "a");
    expect(events).toEqual([7, 6]);
  });

  it("opens again where it broke when the browser gives up", () => {
    vi.useFakeTimers();
    const { streams, links } = listening();
    streams[0]?.fire("open");
    streams[0]?.fire("case", { event: 1 }, "id 1&x");
    if (streams[0]) streams[0].readyState = 2;
    streams[0]?.fire("error");
    expect(links).toEqual(["open", "lost"]);
    vi.advanceTimersByTime(100);
    expect(streams[1]?.url).toBe("/api/events?after=id%201%26x");
    streams[1]?.fire("open");
    expect(links).toEqual(["open", "lost", "open"]);
  });

  it("says which edition holds at each connect and when another comes into force", () => {
    const { streams, editions } = listening();
    streams[0]?.fire("hello", { version: "a" }, "1");
    streams[0]?.fire("edition", { version: "b" });
    streams[0]?.fire("reset", { version: "c" }, "2");
    expect(editions).toEqual(["a", "b", "c"]);
  });

  it("leaves it to the browser while it still tries by itself", () => {
    vi.useFakeTimers();
    const { streams, links } = listening();
    streams[0]?.fire("error");
    vi.advanceTimersByTime(60_000);
    expect(streams).toHaveLength(1);
    expect(links).toEqual(["lost"]);
  });

  it("passes a reset on and goes on after it", () => {
    const { streams, resets, live } = listening();
    streams[0]?.fire("reset", {}, "z");
    expect(resets()).toBe(1);
    live.restart();
    expect(streams[1]?.url).toBe("/api/events?after=z");
  });

  it("tells where units are, and comes back to where the cases were", () => {
    const { streams, positions, live } = listening();
    streams[0]?.fire("case", { event: 1 }, "a");
    const here = { unit: "T01-V1", lon: 118.9, lat: 31.3, seen_at: "2026-11-23T01:00:00.000Z", on_shift: true };
    streams[0]?.fire("positions", { positions: [here] }, "a");
    expect(positions).toEqual([here]);
    live.restart();
    expect(streams[1]?.url).toBe("/api/events?after=a");
  });

  it("remembers only so many events", () => {
    const seen = new Seen(3);
    for (const n of [1, 2, 3, 4]) expect(seen.add(n)).toBe(true);
    expect(seen.add(4)).toBe(false);
    expect(seen.add(1)).toBe(true);
  });
});

describe("the client", () => {
  const answering = (answer: () => Response) => {
    const asked: { url: string; init: RequestInit | undefined }[] = [];
    const client = new Client({
      lang: () => "zh",
      fetch: async (url, init) => {
        asked.push({ url: String(url), init });
        return answer();
      },
    });
    return { client, asked };
  };

  it("asks with what was given and nothing else", async () => {
    const { client, asked } = answering(() => Response.json({ items: [], next: null }));
    await client.cases({ open: true, bbox: [118, 31, 119, 32], team: "" });
    expect(asked[0]?.url).toBe("/api/cases?open=true&bbox=118%2C31%2C119%2C32");
    expect(new Headers(asked[0]?.init?.headers).get("accept-language")).toMatch(/^zh/);
  });

  it("reads page after page", async () => {
    let n = 0;
    const { client, asked } = answering(() =>
      Response.json({ items: [{ case: String(++n) }], next: n < 3 ? `c${n}` : null }),
    );
    const pages: string[] = [];
    await client.everyCase({ open: true }, (items) => pages.push(...items.map((one) => one.case)));
    expect(pages).toEqual(["1", "2", "3"]);
    expect(asked[2]?.url).toContain("cursor=c2");
  });

  it("reads every page of a list it needs whole, and asks for the first one plainly", async () => {
    let n = 0;
    const { client, asked } = answering(() =>
      Response.json({ version: "v", classes: [], items: [{ code: String(++n) }], next: n % 3 ? `c${n}` : null }),
    );
    expect(await client.matters()).toEqual({
      version: "v",
      classes: [],
      items: [1, 2, 3].map((i) => ({ code: `${i}` })),
    });
    expect((await client.units()).map((one) => one.code)).toEqual(["4", "5", "6"]);
    expect(asked.map((one) => one.url)).toEqual(
      ["/matters", "/matters?cursor=c1", "/matters?cursor=c2", "/units", "/units?cursor=c4", "/units?cursor=c5"].map(
        (path) => `/api${path}`,
      ),
    );
  });

  it("throws what was refused, with its code and when to come back", async () => {
    const problem = { code: "case_moved_on", title: "t", detail: "d", status: 409, hint: "h" };
    const { client } = answering(
      () =>
        new Response(JSON.stringify(problem), {
          status: 409,
          headers: { "content-type": "application/problem+json", "retry-after": "3" },
        }),
    );
    const error = await client.case("x").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ problem, retryAfter: 3, message: "d" });
  });

  it("makes do with an answer that is no problem document", async () => {
    const { client } = answering(
      () => new Response("<html>", { status: 502, headers: { "content-type": "text/html" } }),
    );
    await expect(client.health()).rejects.toMatchObject({ problem: { code: "http_502", status: 502 } });
  });

  it("tells no network from a refusal", async () => {
    const client = new Client({ lang: () => "en", fetch: () => Promise.reject(new TypeError("offline")) });
    await expect(client.counters()).rejects.toBeInstanceOf(Unreachable);
  });
});

describe("time", () => {
  it("is the district's, wherever the screen stands", () => {
    const shanghai = clock("Asia/Shanghai");
    expect(shanghai.stamp("2026-11-23T16:30:00Z")).toBe("11-24 00:30");
    expect(shanghai.seconds("2026-11-23T01:02:03Z")).toBe("09:02:03");
    expect(new Date(startOfDay(Date.parse("2026-11-23T16:30:00.5Z"), "Asia/Shanghai")).toISOString()).toBe(
      "2026-11-23T16:00:00.000Z",
    );
  });

  it("is said in two units at most", () => {
    expect(span(42_000, "zh")).toBe("42 秒");
    expect(span(60_000, "zh")).toBe("1 分钟");
    expect(span(3_600_000, "en")).toBe("1 h");
    expect(span(3 * 3_600_000 + 300_000, "zh")).toBe("3 小时 5 分");
    expect(span(52 * 3_600_000, "zh")).toBe("2 天 4 小时");
    expect(span(-5, "zh")).toBe("0 秒");
    expect(distance(850, "zh")).toBe("850 米");
    expect(distance(5210, "en")).toBe("5.2 km");
  });
});

describe("the badge of a demonstration", () => {
  it("says the same in both languages", () => {
    expect(Object.keys(EN).sort()).toEqual(Object.keys(ZH).sort());
    for (const said of [...Object.values(EN), ...Object.values(ZH)]) expect(said).not.toBe("");
    expect(Object.values(EN).join()).not.toMatch(/[一-鿿]/);
  });

  it("is there where the district says so, and nowhere else", () => {
    const district = { demonstration: true } as District;
    expect(Demonstration({ district })).toMatchObject({ props: { title: ZH.meaning, children: ZH.badge } });
    expect(Demonstration({ district: { ...district, demonstration: false } })).toBeNull();
    expect(Demonstration({ district: null })).toBeNull();
  });
});

describe("small things", () => {
  it("choose the language by address, then memory, then Chinese", () => {
    expect(firstLang("?lang=en", "zh")).toBe("en");
    expect(firstLang("", "en")).toBe("en");
    expect(firstLang("", null)).toBe("zh");
    expect(firstLang("?lang=fr", null)).toBe("zh");
  });

  it("fill places and leave a slip visible", () => {
    expect(fill("{n} 件 {x}", { n: 3 })).toBe("3 件 {x}");
  });

  it("make UUIDs of version 4", () => {
    expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("write a zone's name inside the zone, also where its middle is outside", () => {
    const horseshoe: GeoJSON.Polygon = {
      type: "Polygon",
      coordinates: [
        [
          [0, 0],
          [10, 0],
          [10, 10],
          [8, 10],
          [8, 2],
          [2, 2],
          [2, 10],
          [0, 10],
          [0, 0],
        ],
      ],
    };
    const [x, y] = pointInside(horseshoe) ?? [5, 5];
    const inside = (x > 0 && x < 2) || (x > 8 && x < 10) || (y > 0 && y < 2);
    expect(inside).toBe(true);
    expect(pointInside({ type: "Point", coordinates: [0, 0] })).toBeNull();
  });
});
