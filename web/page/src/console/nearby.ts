/** Which open cases could be the same as one: those near it, of the same matter first. Pure. */

import { OVER } from "../shared/states";
import type { Case } from "../shared/types";

const METRES_PER_DEGREE = 111_195;

/** Metres on the ground; within a township as exact as anybody reads it. */
export function metresApart(a: { lon: number; lat: number }, b: { lon: number; lat: number }): number {
  const narrow = Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180);
  return METRES_PER_DEGREE * Math.hypot((a.lon - b.lon) * narrow, a.lat - b.lat);
}

export interface Near {
  c: Case;
  metres: number;
  /** Of the same matter, or class where only that is known. */
  alike: boolean;
}

/** The nearest open cases beside this one; one of another matter counts as three times as far. */
export function nearest(cases: Iterable<Case>, to: Case, most: number): Near[] {
  const found: Near[] = [];
  for (const c of cases) {
    if (c.case === to.case || OVER.has(c.state)) continue;
    const alike = c.matter.startsWith(to.matter) || to.matter.startsWith(c.matter);
    found.push({ c, metres: metresApart(c, to), alike });
  }
  const weight = (one: Near): number => one.metres * (one.alike ? 1 : 3);
  return found.sort((a, b) => weight(a) - weight(b)).slice(0, most);
}
