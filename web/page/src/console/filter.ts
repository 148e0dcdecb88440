/** Which cases are shown, and how that is written in the address: `#show=late&team=T01&matter=21&since=4h`. */

import { OVER } from "../shared/states";
import type { State } from "../shared/types";
import { type Flags, flags, type Held } from "./attention";

export const SHOWS = [
  "open",
  "waiting",
  "unclaimed",
  "late",
  "returned",
  "disputed",
  "closed_today",
  "received_today",
] as const;
export type Show = (typeof SHOWS)[number];
export const SINCES = ["1h", "4h", "today", "24h", "7d"] as const;
export type Since = (typeof SINCES)[number];
export const STATES = [
  "triage",
  "assigned",
  "accepted",
  "on_the_way",
  "on_scene",
  "handled",
  "verified",
  "returned",
  "disputed",
  "suspended",
  "closed",
  "merged",
  "cancelled",
] as const;
export type Sort = "attention" | "newest";

export interface Filter {
  show: Show;
  team: string;
  /** A matter's code, or a class's. */
  matter: string;
  state: State | "";
  since: Since | "";
  words: string;
  /** Only those whose place is to be confirmed. */
  unsure: boolean;
  sort: Sort;
}

export interface Address extends Filter {
  /** The case that is open in the panel. */
  selected: string;
}

export const ALL: Filter = {
  show: "open",
  team: "",
  matter: "",
  state: "",
  since: "",
  words: "",
  unsure: false,
  sort: "attention",
};

export interface Moment {
  now: number;
  startOfDay: number;
  unclaimedAfter: number;
}

const HOUR = 3_600_000;
const LENGTH: Readonly<Record<Exclude<Since, "today">, number>> = {
  "1h": HOUR,
  "4h": 4 * HOUR,
  "24h": 24 * HOUR,
  "7d": 168 * HOUR,
};

/** The test of one filter at one moment. What was chosen by hand (state closed) is not hidden by `show=open`. */
export function matches(filter: Filter, moment: Moment): (held: Held) => boolean {
  const words = filter.words.trim().toLocaleLowerCase();
  const from =
    filter.since === ""
      ? Number.NEGATIVE_INFINITY
      : filter.since === "today"
        ? moment.startOfDay
        : moment.now - LENGTH[filter.since];
  return (held) => {
    const { c } = held;
    if (filter.team && c.team !== filter.team) return false;
    if (filter.matter && c.matter !== filter.matter && !c.matter.startsWith(filter.matter)) return false;
    if (filter.state && c.state !== filter.state) return false;
    if (held.received < from) return false;
    if (words && !speaksOf(held, words)) return false;
    const flag = flags(held, moment.now, moment.unclaimedAfter);
    if (filter.unsure && !flag.unsure) return false;
    if (filter.show === "open" && filter.state && OVER.has(filter.state)) return true;
    return shows(filter.show, held, flag, moment);
  };
}

function speaksOf({ c }: Held, words: string): boolean {
  const said = [c.case, c.matter_name, c.matter_name_en, c.text, c.grid, c.unit, c.source_ref];
  return said.some((part) => part?.toLocaleLowerCase().includes(words));
}

function shows(show: Show, held: Held, flag: Flags, moment: Moment): boolean {
  switch (show) {
    case "closed_today":
      return held.c.state === "closed" && held.changed >= moment.startOfDay;
    case "received_today":
      return held.received >= moment.startOfDay;
    default:
      return flag[show];
  }
}

function oneOf<T extends string>(known: readonly T[], value: string | null): T | null {
  return known.find((one) => one === value) ?? null;
}

export function readHash(hash: string): Address {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  return {
    show: oneOf(SHOWS, words.get("show")) ?? "open",
    team: words.get("team") ?? "",
    matter: words.get("matter") ?? "",
    state: oneOf(STATES, words.get("state")) ?? "",
    since: oneOf(SINCES, words.get("since")) ?? "",
    words: words.get("q") ?? "",
    unsure: words.has("confirm"),
    sort: words.get("sort") === "newest" ? "newest" : "attention",
    selected: words.get("case") ?? "",
  };
}

/** The shortest hash that says the same; empty for what is shown at first. */
export function writeHash(address: Address): string {
  const words = new URLSearchParams();
  if (address.show !== "open") words.set("show", address.show);
  if (address.team) words.set("team", address.team);
  if (address.matter) words.set("matter", address.matter);
  if (address.state) words.set("state", address.state);
  if (address.since) words.set("since", address.since);
  if (address.words) words.set("q", address.words);
  if (address.unsure) words.set("confirm", "1");
  if (address.sort !== "attention") words.set("sort", address.sort);
  if (address.selected) words.set("case", address.selected);
  const text = words.toString();
  return text ? `#${text}` : "";
}

/** How many of the choices beside the counters are set. */
export function chosen(filter: Filter): number {
  return [filter.team, filter.matter, filter.state, filter.since, filter.words, filter.unsure].filter(Boolean).length;
}
