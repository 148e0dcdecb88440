/**
 * MapLibre's worker without a network. A browser asks a service worker for a worker's script only where the script's
 * own address lies in its scope, and ours keeps to /field; but what the page itself fetches does come from its cache.
 * So the script is fetched by the page and started from there.
 */

import { getWorkerUrl, setWorkerUrl } from "maplibre-gl";

let own: Promise<void> | null = null;

async function take(): Promise<void> {
  const answer = await fetch(getWorkerUrl());
  if (!answer.ok) throw new Error(`the map's worker: HTTP ${answer.status}`);
  setWorkerUrl(URL.createObjectURL(new Blob([await answer.text()], { type: "text/javascript" })));
}

/** Call before the first map is made. A failure leaves the script's address as it was, to be tried again. */
export function ownWorker(): Promise<void> {
  own ??= take().catch(() => {
    own = null;
  });
  return own;
}
