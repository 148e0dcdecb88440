/** Chinese first, English by a switch that is remembered. Each page keeps its own words; this keeps the language. */

import type { Lang } from "./types";

const KEPT = "onegrid.lang";
const listeners = new Set<(lang: Lang) => void>();

/** The language to begin with: `?lang=` of the address, else the one remembered, else Chinese. */
export function firstLang(search: string, remembered: string | null): Lang {
  const asked = new URLSearchParams(search).get("lang") ?? remembered;
  return asked === "en" ? "en" : "zh";
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

let current: Lang = typeof location === "undefined" ? "zh" : firstLang(location.search, remembered());
if (typeof document !== "undefined") document.documentElement.lang = htmlLang(current);

function htmlLang(lang: Lang): string {
  return lang === "zh" ? "zh-CN" : "en";
}

export function lang(): Lang {
  return current;
}

export function setLang(next: Lang): void {
  if (next === current) return;
  current = next;
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // A browser that keeps nothing still switches.
  }
  if (typeof document !== "undefined") document.documentElement.lang = htmlLang(next);
  for (const tell of listeners) tell(next);
}

/** Be told when the language changes; the answer stops it. */
export function onLang(tell: (lang: Lang) => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export type Facts = Record<string, string | number>;

/** Fill `{name}` places; an unknown place stays as it is, so that a slip is seen. */
export function fill(template: string, facts: Facts = {}): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => String(facts[name] ?? place));
}

/** A page's words in both languages: `const t = words(zh, en); t("late", { n: 3 })`. The type holds `en` to `zh`'s keys. */
export function words<K extends string>(zh: Record<K, string>, en: Record<NoInfer<K>, string>) {
  return (key: K, facts?: Facts): string => fill((current === "zh" ? zh : en)[key], facts);
}

/** The name of a thing in the language in use; Chinese where there is no English one. */
export function nameOf(thing: { name: string; name_en?: string | undefined }): string {
  return (current === "en" && thing.name_en) || thing.name;
}
