/**
 * The field page without a network: its files are kept at the first visit, and the district's lists and layers too.
 * Reports do not pass through here; they have the page's own outbox. The worker's scope is /field, so that the other
 * pages never see an old copy of anything.
 */

import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";
import { registerRoute } from "workbox-routing";
import { StaleWhileRevalidate } from "workbox-strategies";

declare const self: ServiceWorkerGlobalScope;
/** Put here by the build: the page's address and files, each with a revision unless its name is its hash. */
declare const SHELL: (string | { url: string; revision: string })[];

cleanupOutdatedCaches();
precacheAndRoute(SHELL, { cleanURLs: false, directoryIndex: "", ignoreURLParametersMatching: [/.*/] });

/** What changes only with the district's data: shown from the last visit at once, asked anew behind that. */
const SLOW = /^\/api\/(district|matters|teams|units|zones\/\w+)$/;
/** Whole layers and whole lists: the page asks these with a cursor, or with nothing. */
const WHOLE = /^(\?cursor=[^&]+)?$/;
const lists = new StaleWhileRevalidate({ cacheName: "district" });
registerRoute(({ url, sameOrigin }) => sameOrigin && SLOW.test(url.pathname) && WHOLE.test(url.search), lists);

/** The page asked for these before this worker was there: fetch them once more, so that the second visit needs nothing. */
const FIRST = ["district", "matters", "teams", "units"].map((name) => `/api/${name}`);
const LAYERS = ["district", "township", "water", "roads", "joint", "community"].map((name) => `/api/zones/${name}`);

/** A list's answer names the cursor of its next page. */
const nextOf = async (answer: Response): Promise<string | null> => (await answer.clone().json()).next ?? null;

async function keep(event: ExtendableEvent): Promise<void> {
  for (const first of [...FIRST, ...LAYERS]) {
    let url: string | null = first;
    while (url) {
      const [answer, kept] = lists.handleAll({ event, request: new Request(url) });
      const next: string | null = first.includes("/zones/") ? null : await answer.then(nextOf).catch(() => null);
      // A layer that this district does not have, or that did not come through, does not keep the page from installing.
      await kept.catch(() => undefined);
      url = next && `${first}?${new URLSearchParams({ cursor: next })}`;
    }
  }
}

self.addEventListener("install", (event) => {
  void self.skipWaiting();
  event.waitUntil(keep(event));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
