/** Getting a file, or the server's plain reason why not. */

import type { Lang, Problem } from "../shared/types";
import { t } from "./words";

export type Fetched = { file: Blob } | { refused: string };

export async function fetchFile(address: string, lang: Lang, signal?: AbortSignal): Promise<Fetched> {
  let answer: Response;
  try {
    answer = await fetch(address, { headers: { "accept-language": lang }, ...(signal ? { signal } : {}) });
    if (answer.ok) return { file: await answer.blob() };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { refused: t("unreachable") };
  }
  const problem: Partial<Problem> = await answer.json().catch(() => ({}));
  const said = [problem.detail || problem.title || `HTTP ${answer.status}`, problem.hint].filter(Boolean).join(" ");
  return { refused: t("failed", { detail: said }) };
}

/** Hands a file to the browser's downloads. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** 2.4 MB, 380 kB: decimal, as file managers count. */
export function sizeOf(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
