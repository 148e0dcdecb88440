/** Finding a matter: by words, by class, by what was used last. */

import type { Matter, Matters } from "../../shared/types";

/** Matters all of whose search words occur in their code, names, class or department; names that begin so come first. */
export function searchMatters(matters: Matters, asked: string): Matter[] {
  const wanted = asked
    .trim()
    .toLocaleLowerCase()
    .split(/[\s,，、]+/)
    .filter(Boolean);
  const [first] = wanted;
  if (first === undefined) return [];
  const classes = new Map(matters.classes.map((c) => [c.code, `${c.name} ${c.name_en}`]));
  const found = matters.items.filter((m) => {
    const text = [m.code, m.name, m.name_en, m.department_name, classes.get(m.class) ?? ""].join(" ");
    const lower = text.toLocaleLowerCase();
    return wanted.every((word) => lower.includes(word));
  });
  const rank = (m: Matter): number =>
    [m.name, m.name_en, m.code].some((text) => text.toLocaleLowerCase().startsWith(first)) ? 0 : 1;
  return found.sort((a, b) => rank(a) - rank(b) || (a.code < b.code ? -1 : 1));
}

/** The list of matters last used, newest first, each once, at most `most`. */
export function used(recent: readonly string[], code: string, most = 4): string[] {
  return [code, ...recent.filter((other) => other !== code)].slice(0, most);
}

const KEPT = "onegrid.field.recent";

export function recentMatters(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((code) => typeof code === "string") : [];
  } catch {
    return [];
  }
}

export function keepRecent(code: string): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(used(recentMatters(), code)));
  } catch {
    // Without storage nothing is remembered, and nothing else breaks.
  }
}
