/** The way of the chosen case's unit: asked for once for each place that the unit is counted from. */

import type { Client } from "../shared/client";
import type { Case, Unit } from "../shared/types";

export type Line = readonly (readonly [number, number])[];

export class WayReader {
  private key = "";

  constructor(
    private readonly client: Pick<Client, "way">,
    private readonly show: (line: Line) => void,
  ) {}

  /** Show the way, or none where no unit is coming. What is asked for later is shown, whatever comes first. */
  async choose(c: Case | null, unit: Unit | undefined): Promise<void> {
    const coming = c && unit && unit.case === c.case;
    const key = coming ? [c.case, c.lon, c.lat, unit.code, unit.lon, unit.lat].join() : "";
    if (key === this.key) return;
    const moved = key.startsWith(`${c?.case},`) && this.key.startsWith(`${c?.case},`);
    this.key = key;
    // The way of a moment ago is nearer the truth than a straight line.
    if (!moved) this.show([]);
    if (!coming) return;
    try {
      const { geometry } = await this.client.way(c.case);
      if (key === this.key) this.show(geometry?.coordinates ?? []);
    } catch {
      // The straight line stays, and the next time it is asked again.
      if (key === this.key) this.key = "";
    }
  }
}
