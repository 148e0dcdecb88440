/** What tells the outcomes of one circle apart. */

import { nameOf } from "./i18n";
import type { Outcome } from "./types";

/** From what says most of a place to what says least. */
const LAYERS = ["water", "dedicated", "joint", "township"];

/**
 * Where an outcome lies: the zones that not all of the outcomes lie in. Empty where it only lies outside of the
 * others'; `ashore` then says that the others' is water.
 */
export function whereOf(outcome: Outcome, all: readonly Outcome[]): { names: string[]; ashore: boolean } {
  const key = (zone: { layer: string; code: string }): string => `${zone.layer}:${zone.code}`;
  const everywhere = ({ layer, code }: { layer: string; code: string }): boolean =>
    all.every(({ zones }) => zones.some((zone) => key(zone) === `${layer}:${code}`));
  const names = LAYERS.flatMap((layer) =>
    outcome.zones.filter((zone) => zone.layer === layer && !everywhere(zone)),
  ).map((zone) => nameOf(zone));
  const wet = (one: Outcome): boolean => one.zones.some((zone) => zone.layer === "water");
  return { names, ashore: !wet(outcome) && all.some(wet) };
}
