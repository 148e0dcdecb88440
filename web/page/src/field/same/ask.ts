/** Before a report is sent: is it open already? Asked only with a network, and never waited for long. */

import type { Client } from "../../shared/client";
import type { Duplicate } from "../../shared/duplicates";
import type { ReportEntry } from "../outbox/entry";
import { reportBody } from "../outbox/post";

/** On one bar of signal a report is rather sent unasked than kept waiting. */
const WITHIN_MS = 3_000;

/** What it may be the same as, likeliest first; nothing where nobody answers in time. */
export async function alreadyOpen(client: Client, entry: ReportEntry): Promise<Duplicate[]> {
  if (!navigator.onLine) return [];
  // Who sends it and its pictures do not matter here; as it is not sent, it has no id yet.
  const { id: _, contact: __, joins: ___, ...draft } = reportBody(entry, []);
  return client.duplicates(draft, AbortSignal.timeout(WITHIN_MS)).then(
    ({ items }) => items,
    () => [],
  );
}
