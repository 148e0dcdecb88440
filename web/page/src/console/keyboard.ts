/** Keys of the desk. Nothing is taken from a field that is being typed in, but Escape. */

import { MANY } from "./assignment";
import type { Desk } from "./desk";

/** What a key asks for; null when it is not ours. Pure, so that it can be tested. */
export type Wish =
  | "next"
  | "previous"
  | "first"
  | "last"
  | "open"
  | "close"
  | "filter"
  | "help"
  | "sort"
  | "centre"
  | "assign"
  | "choose";

export interface Press {
  key: string;
  /** Typing: in an input, a select or a text area. */
  typing: boolean;
  /** On a button or link, whose Enter is its own. */
  onControl: boolean;
  modified: boolean;
}

export function wish({ key, typing, onControl, modified }: Press): Wish | null {
  if (modified) return null;
  if (key === "Escape") return "close";
  if (typing) return null;
  switch (key) {
    case "j":
    case "ArrowDown":
      return "next";
    case "k":
    case "ArrowUp":
      return "previous";
    case "Home":
      return "first";
    case "End":
      return "last";
    case "Enter":
      return onControl ? null : "open";
    case "/":
      return "filter";
    case "?":
      return "help";
    case "s":
      return "sort";
    case "m":
      return "centre";
    case "a":
      return "assign";
    case "x":
      return "choose";
    default:
      return null;
  }
}

export function listenToKeys(desk: Desk): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    const onMap = target.closest(".maplibregl-map") !== null && event.key.startsWith("Arrow");
    const asked = wish({
      key: event.key,
      typing: target.matches("input, select, textarea"),
      onControl: target.matches("button, a, summary, [role=button]"),
      modified: event.ctrlKey || event.metaKey || event.altKey,
    });
    if (!asked || onMap) return;
    if (grant(desk, asked, target)) event.preventDefault();
  });
}

function grant(desk: Desk, asked: Wish, target: HTMLElement): boolean {
  const { store } = desk;
  const { state } = store;
  if (state.disputes && asked !== "close") return false;
  if (state.help && asked !== "close" && asked !== "help") return false;
  switch (asked) {
    case "next":
    case "previous":
      desk.moveCursor(asked === "next" ? 1 : -1);
      return true;
    case "first":
    case "last":
      desk.moveCursor(asked === "first" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
      return true;
    case "open":
      if (!state.cursor) return false;
      desk.openCase(state.cursor);
      return true;
    case "filter":
      document.getElementById("filter-words")?.focus();
      return true;
    case "help":
      store.set({ help: !state.help });
      return true;
    case "sort":
      desk.setFilter({ sort: state.filter.sort === "attention" ? "newest" : "attention" });
      return true;
    case "centre":
      desk.centre();
      return true;
    case "assign":
      if (!state.assigning && ((state.counters?.waiting ?? 0) < MANY || state.seat.role !== "dispatcher")) return false;
      store.set({ assigning: !state.assigning });
      return true;
    case "choose":
      if (!state.cursor) return false;
      desk.choose(state.cursor);
      return true;
    case "close":
      return closeNearest(desk, target);
  }
}

/** Escape goes one step back: the help, then the field that has the focus, then the case, then the plan or the choosing of several. */
function closeNearest(desk: Desk, target: HTMLElement): boolean {
  const { state } = desk.store;
  if (state.help) desk.store.set({ help: false });
  else if (state.disputes) desk.store.set({ disputes: false });
  else if (target.matches("input, select, textarea") && !target.closest(".order")) {
    target.blur();
    document.getElementById("queue")?.focus();
  } else if (state.open) {
    desk.closeCase();
    document.getElementById("queue")?.focus();
  } else if (state.assigning) desk.store.set({ assigning: false });
  else if (state.chosen) desk.chooseSeveral(false);
  else return false;
  return true;
}
