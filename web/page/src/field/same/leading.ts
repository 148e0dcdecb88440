/** How a report goes on: as its own case does, or the one that this was merged into at last. */

import type { Client } from "../../shared/client";
import type { Case } from "../../shared/types";

/** Mergers into mergers are few; more than these are not followed. */
const MOST_STEPS = 8;

/** Null: nobody answers. */
export async function leadingCase(client: Client, number: string): Promise<Case | null> {
  let found: Case | null = await client.case(number).catch(() => null);
  for (let step = 0; step < MOST_STEPS && found?.state === "merged" && found.merged_into; step++) {
    found = await client.case(found.merged_into).catch(() => null);
  }
  return found;
}
