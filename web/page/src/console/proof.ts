/** What a browser can check of the record by itself: that steps hang together, and that a proof leads to its root. */

import type { Proof } from "../shared/casework";
import type { HistoryEvent } from "../shared/types";

/** The first step that does not name the seal of the one before; null where all do. The first names 64 zeros. */
export function firstBreak(history: readonly HistoryEvent[]): number | null {
  let before = "0".repeat(64);
  let seq = 0;
  for (const event of [...history].sort((a, b) => a.seq - b.seq)) {
    seq += 1;
    if (event.seq !== seq || event.prev !== before) return event.seq;
    before = event.sealed;
  }
  return null;
}

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

async function hashed(...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Whether the proof leads to the root (RFC 9162, 2.1.3.2); null where the browser does not reckon hashes. */
export async function leadsToRoot({
  case: number,
  seq,
  seal,
  place,
  size,
  path,
  checkpoint,
}: Proof): Promise<boolean | null> {
  if (!globalThis.crypto?.subtle) return null;
  let [at, last] = [place, size - 1];
  if (at > last) return false;
  // The canonical form of a leaf, as docs/record.md has it.
  let hash = await hashed(LEAF, new TextEncoder().encode(JSON.stringify([number, seq, seal])));
  for (const beside of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = await hashed(NODE, bytes(beside), hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      hash = await hashed(NODE, hash, bytes(beside));
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  const root = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return last === 0 && root === checkpoint.root;
}
