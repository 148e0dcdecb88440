/** Sends a file to be kept, and tells how far it is: `fetch` cannot say that of what it sends. */

import type { EvidenceKind, Kept } from "../shared/casework";
import { Refused, Unreachable } from "../shared/client";
import type { Lang, Problem } from "../shared/types";

/** What a file most likely is. */
export function kindOf(type: string): EvidenceKind {
  const [family] = type.split("/");
  if (family === "image") return "photo";
  if (family === "video" || family === "audio") return family;
  return type === "text/plain" ? "note" : "document";
}

/** Longest file whose bytes are hashed here too: a phone has no room for more at once. */
const HASHED_HERE = 64_000_000;

/** SHA-256 of a file's bytes, hexadecimal; null where the browser does not reckon it (plain HTTP by name) or it is long. */
export async function digestOf(file: Blob): Promise<string | null> {
  if (!globalThis.crypto?.subtle || file.size > HASHED_HERE) return null;
  try {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return null;
  }
}

export interface Upload {
  url: string;
  file: File;
  kind: EvidenceKind;
  lang: Lang;
  signal: AbortSignal;
  /** 0 to 1. */
  onProgress: (part: number) => void;
}

/** What the server keeps. Raises `Refused`, or `Unreachable` when no answer came. */
export function upload({ url, file, kind, lang, signal, onProgress }: Upload): Promise<Kept> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("accept", "application/json, application/problem+json");
    request.setRequestHeader("accept-language", lang === "zh" ? "zh-CN, zh;q=0.9, en;q=0.5" : "en, zh;q=0.5");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    const lost = (): void => fail(new Unreachable(null));
    request.onerror = lost;
    request.onabort = lost;
    request.onload = () => {
      try {
        const answer: unknown = JSON.parse(request.responseText);
        if (request.status < 300) done(answer as Kept);
        else fail(new Refused(answer as Problem));
      } catch {
        fail(new Unreachable(null));
      }
    };
    signal.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("kind", kind);
    form.append("file", file, file.name);
    request.send(form);
  });
}
