import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Papers, Proof } from "../shared/casework";
import type { Action, HistoryEvent, Possible, Role, Stage } from "../shared/types";
import { type ManyOrder, offers, ordersFor } from "./bulk";
import { localOf, momentOf, type Piece } from "./evidence";
import { nearest } from "./nearby";
import { bodyOf, isAmount, isReady, newOrder } from "./order";
import { firstBreak, leadsToRoot } from "./proof";
import { sample } from "./sample.test-data";
import { choices, nameKey, readSeat } from "./seat";
import { lineOf, procedureEvents } from "./stages";
import { kindOf } from "./upload";
import { en, zh } from "./words";

function may(action: Action, by: Role[], needs: Possible["needs"] = []): Possible {
  return { action, by, needs };
}

describe("words of what is done", () => {
  const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();

  it("are the same in both languages, place by place", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(places(en[key]), key).toEqual(places(zh[key]));
  });
});

describe("what a role is offered", () => {
  const assigned = [
    may("accept", ["team"]),
    may("return", ["team"], ["note"]),
    may("reassign", ["dispatcher"], ["team", "note"]),
    may("relocate", ["dispatcher", "team"], ["position"]),
    may("suspend", ["team", "dispatcher"], ["until", "note"]),
    may("cancel", ["dispatcher"], ["note"]),
  ];
  const names = (those: readonly Possible[]): string[] => those.map((one) => one.action);

  it("is the next step first, what is often needed beside it, the rest under a lid; nothing that is not its own", () => {
    const team = choices(assigned, "team");
    expect([team.next?.action, names(team.shown), names(team.more)]).toEqual([
      "accept",
      ["accept", "return", "relocate", "suspend"],
      [],
    ]);
    const desk = choices(assigned, "dispatcher");
    expect([names(desk.shown), names(desk.more)]).toEqual([
      ["reassign", "relocate"],
      ["suspend", "cancel"],
    ]);
    expect(desk.next?.by).toEqual(["team"]);
    expect(choices(assigned, "legal").shown).toEqual([]);
  });

  it("loses nothing that the role may do", () => {
    for (const role of ["team", "dispatcher", "leader"] as const) {
      const { shown, more } = choices(assigned, role);
      const mine = assigned.filter((one) => one.by.includes(role));
      expect(new Set([...shown, ...more])).toEqual(new Set(mine));
    }
  });

  it("is remembered with the names, each team's its own; rubbish is the dispatcher", () => {
    const seat = { role: "team", names: { "team:T01": "一队" } } as const;
    expect(readSeat(JSON.stringify(seat))).toEqual(seat);
    expect(nameKey("team", "T01")).toBe("team:T01");
    expect([readSeat(null).role, readSeat("{").role, readSeat('{"role":"king"}').role]).toEqual(
      Array(3).fill("dispatcher"),
    );
  });
});

const piece = (patch: Partial<Piece> = {}): Piece => ({
  key: "1",
  file: new File(["x"], "x.jpg"),
  kind: "photo",
  at: "2026-11-23T01:00:00.000Z",
  sent: 1,
  kept: { sha256: "ab", kind: "photo", media_type: "image/jpeg", bytes: 1, received_at: "", thumb: true },
  failed: "",
  ...patch,
});

describe("an order", () => {
  it("is ready when all is there that its row needs", () => {
    const order = newOrder("inquire", 3, "team");
    const officers = [
      { number: "01", name: "" },
      { number: "01", name: "" },
    ];
    expect(isReady({ ...order, note: " " }, ["note"])).toBe(false);
    expect(isReady({ ...order, papers: { officers } }, ["officers"])).toBe(false);
    officers[1] = { number: "02", name: "" };
    expect(isReady({ ...order, papers: { officers } }, ["officers"])).toBe(true);
    expect(isReady(order, ["evidence"])).toBe(false);
    expect(isReady({ ...order, pieces: [piece()] }, ["evidence"])).toBe(true);
    expect(isReady({ ...order, pieces: [piece(), piece({ kept: null })] }, ["evidence"])).toBe(false);
    expect(isReady({ ...order, settles: "T01" }, ["position"])).toBe(true);
    expect(["0", "12.5", "500.00", "1e3", "-1", "1.234", ""].map(isAmount)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("is sent with what was said, and nothing that was left empty", () => {
    const order = { ...newOrder("suspend", 3, "team"), actor: "一队", note: " 等雨停 ", until: "2026-12-01" };
    const { id } = order;
    const at = { lon: 118.9, lat: 31.3 };
    expect(bodyOf(order, at)).toEqual({
      id,
      action: "suspend",
      role: "team",
      actor: "一队",
      seq: 3,
      note: "等雨停",
      until: "2026-12-01",
    });
    const papers: Papers = {
      officers: [
        { number: "01", name: "" },
        { number: "", name: "x" },
      ],
      minutes: "",
    };
    const evidence = bodyOf({ ...order, pieces: [piece()], there: true, papers }, at);
    expect(evidence.evidence).toEqual([{ sha256: "ab", at: "2026-11-23T01:00:00.000Z", lon: 118.9, lat: 31.3 }]);
    expect(evidence.procedure).toEqual({ officers: [{ number: "01", name: "" }] });
  });

  it("says when evidence was taken to the minute that was typed, and nothing where nothing was", () => {
    expect([localOf(""), momentOf(""), momentOf("x")]).toEqual(["", "", ""]);
    expect(momentOf(localOf("2026-11-23T01:02:00.000Z"))).toBe("2026-11-23T01:02:00.000Z");
  });

  it("names files by what they are", () => {
    const types = ["image/png", "video/mp4", "audio/mpeg", "text/plain", "application/pdf", ""];
    expect(types.map(kindOf)).toEqual(["photo", "video", "audio", "note", "document", "document"]);
  });
});

describe("cases that could be the same", () => {
  it("are the nearest that are open, of a like matter first, never itself", () => {
    const here = sample({ case: "a" });
    const cases = [
      here,
      sample({ case: "near, other", matter: "0101", lat: 31.3301 }),
      sample({ case: "like", lat: 31.3302 }),
      sample({ case: "class", matter: "21", lat: 31.3305 }),
      sample({ case: "over", state: "closed" }),
    ];
    const found = nearest(cases, here, 3);
    expect(found.map((one) => one.c.case)).toEqual(["like", "near, other", "class"]);
    expect(found[0]?.metres).toBeCloseTo(22.2, 0);
    expect(found.map((one) => one.alike)).toEqual([true, false, true]);
  });
});

describe("one action for many", () => {
  const [a, b, c] = [sample({ case: "a" }), sample({ case: "b", seq: 4 }), sample({ case: "c", state: "handled" })];
  const possible = new Map([
    [
      "assigned ",
      [
        may("accept", ["team"]),
        may("escalate", ["dispatcher"], ["note"]),
        may("relocate", ["dispatcher"], ["position"]),
      ],
    ],
    ["handled ", [may("escalate", ["dispatcher"], ["note"]), may("verify", ["dispatcher"])]],
  ]);

  it("is offered with how many it fits; what each case must be asked for is not", () => {
    const found = offers([a, b, c], possible, "dispatcher");
    expect(found.map((one) => [one.action, one.cases])).toEqual([
      ["escalate", ["a", "b", "c"]],
      ["verify", ["c"]],
    ]);
    expect(found[0]?.needs).toEqual(["note"]);
  });

  it("comes to an order for each with its own step and id, and none into itself", () => {
    const orders: ManyOrder[] = ordersFor([a, b, c], {
      action: "merge",
      role: "dispatcher",
      actor: "x",
      into: "c",
      note: "",
    });
    expect(orders.map((one) => [one.case, one.seq, one.into, "note" in one])).toEqual([
      ["a", 1, "c", false],
      ["b", 4, "c", false],
    ]);
    expect(new Set(orders.map((one) => one.id)).size).toBe(2);
  });
});

function event(seq: number, action: HistoryEvent["action"], more: Partial<HistoryEvent> = {}): HistoryEvent {
  return {
    id: String(seq),
    seq,
    at: `2026-11-23T0${seq}:00:00.000Z`,
    action,
    actor: "",
    note: "",
    after: { state: "on_scene", team: "T01", unit: null },
    photos: [],
    place: null,
    was: null,
    details: {},
    sealed: "",
    prev: "",
    ...more,
  };
}
const step = (seq: number, action: Action, stage: Stage): HistoryEvent =>
  event(seq, action, { details: { procedure: { stage } } });
const shown = (stage: Stage | null, history: HistoryEvent[]): string =>
  lineOf(stage, history)
    .steps.map(({ action, how }) => `${action} ${how}`)
    .join(", ");

describe("the line of the procedure", () => {
  it("says what is done, what is next, and that only major cases are deliberated", () => {
    const begun = [step(1, "file", "filed"), step(2, "inquire", "inquiry")];
    expect(shown("inquiry", begun)).toBe(
      "file done, inquire done, review next, deliberate maybe, decide ahead, serve ahead, execute ahead, archive ahead",
    );
    const passed = [...begun, step(3, "review", "reviewed")];
    expect(shown("reviewed", passed)).toContain("review done, deliberate left, decide next");
    const major = [...begun, step(3, "review", "major")];
    expect(shown("major", major)).toContain("review done, deliberate next, decide ahead");
  });

  it("is short on the spot, and ends where it is transferred", () => {
    const spot = [step(1, "penalise", "decided")];
    expect(shown("decided", spot)).toBe("penalise done, serve next, execute ahead, archive ahead");
    const line = lineOf("transferred", [step(1, "file", "filed"), step(2, "transfer", "transferred")]);
    expect([line.ended, line.steps[0]?.how, line.steps[1]?.how]).toEqual(["transfer", "done", "left"]);
    expect(shown(null, [])).toMatch(/^file next, inquire ahead/);
  });

  it("begins anew with a second filing", () => {
    const history = [
      step(4, "inquire", "inquiry"),
      step(3, "file", "filed"),
      step(1, "file", "filed"),
      step(2, "drop", "dropped"),
    ];
    expect(procedureEvents(history).map((one) => one.seq)).toEqual([3, 4]);
  });
});

describe("the record", () => {
  const zero = "0".repeat(64);
  it("hangs together, or the first step that does not is named", () => {
    const chain = [event(1, "report", { prev: zero, sealed: "a" }), event(2, "accept", { prev: "a", sealed: "b" })];
    expect(firstBreak([...chain].reverse())).toBeNull();
    expect(firstBreak([...chain, event(3, "arrive", { prev: "x" })])).toBe(3);
    expect(firstBreak(chain.slice(1))).toBe(2);
  });

  // The tree as docs/record.md defines it, split at the largest power of two below the number of leaves: slow and obvious.
  const sha = (...parts: (Buffer | string)[]): Buffer => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const split = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1);
  const rootOf = (leaves: Buffer[]): Buffer =>
    leaves.length === 1
      ? (leaves[0] as Buffer)
      : sha(Buffer.of(1), rootOf(leaves.slice(0, split(leaves.length))), rootOf(leaves.slice(split(leaves.length))));
  const pathOf = (leaves: Buffer[], at: number): Buffer[] => {
    if (leaves.length === 1) return [];
    const k = split(leaves.length);
    return at < k
      ? [...pathOf(leaves.slice(0, k), at), rootOf(leaves.slice(k))]
      : [...pathOf(leaves.slice(k), at - k), rootOf(leaves.slice(0, k))];
  };

  it("is proved up to the root for every leaf of every small tree, and for nothing else", async () => {
    for (let size = 1; size <= 17; size++) {
      const leaves = Array.from({ length: size }, (_, i) => sha(Buffer.of(0), JSON.stringify([`c${i}`, i + 1, "ff"])));
      const root = rootOf(leaves).toString("hex");
      for (let place = 0; place < size; place++) {
        const path = pathOf(leaves, place).map((one) => one.toString("hex"));
        const proof = {
          case: `c${place}`,
          seq: place + 1,
          seal: "ff",
          place,
          size,
          path,
          checkpoint: { root },
        } as Proof;
        expect(await leadsToRoot(proof), `${place} of ${size}`).toBe(true);
        expect(await leadsToRoot({ ...proof, seq: 99 })).toBe(false);
        if (size > 1) expect(await leadsToRoot({ ...proof, path: path.slice(1) })).toBe(false);
      }
    }
  });
});
