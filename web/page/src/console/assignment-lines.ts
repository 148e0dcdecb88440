/** A plan's pairs on the map: a straight line from each unit to its case, with a head where it leads. */

import { left, type Spot, top, type View } from "./place";

export interface PairLine {
  readonly from: Spot;
  readonly to: Spot;
  /** `left`: not to be accepted. */
  readonly look: "chosen" | "left" | "pointed";
}

const WIDTH = { left: 1.2, chosen: 2.2, pointed: 4 } as const;
const COLOUR = { left: "ink-3", chosen: "accent", pointed: "focus" } as const;
/** CSS pixels from the case's middle to the head, and the head's length. */
const OFF = 11;
const HEAD = 9;

export function paintPairs(
  pen: CanvasRenderingContext2D,
  view: View,
  dense: number,
  pairs: readonly PairLine[],
  colour: (token: string) => string,
): void {
  for (const look of ["left", "chosen", "pointed"] as const) {
    for (const pair of pairs) if (pair.look === look) paint(pen, view, dense, pair, colour);
  }
}

function paint(
  pen: CanvasRenderingContext2D,
  view: View,
  dense: number,
  { from, to, look }: PairLine,
  colour: (token: string) => string,
): void {
  const [x0, y0, x1, y1] = [left(view, from), top(view, from), left(view, to), top(view, to)];
  const length = Math.hypot(x1 - x0, y1 - y0);
  // It is there already.
  if (length < OFF + HEAD) return;
  const [east, south] = [(x1 - x0) / length, (y1 - y0) / length];
  const [tipX, tipY] = [x1 - east * OFF, y1 - south * OFF];
  const [backX, backY] = [tipX - east * HEAD, tipY - south * HEAD];
  const line = new Path2D();
  line.moveTo(x0 * dense, y0 * dense);
  line.lineTo(backX * dense, backY * dense);
  const head = new Path2D();
  head.moveTo(tipX * dense, tipY * dense);
  head.lineTo((backX - south * HEAD * 0.5) * dense, (backY + east * HEAD * 0.5) * dense);
  head.lineTo((backX + south * HEAD * 0.5) * dense, (backY - east * HEAD * 0.5) * dense);
  head.closePath();
  pen.lineCap = "butt";
  pen.setLineDash([]);
  pen.strokeStyle = colour("bg");
  pen.lineWidth = (WIDTH[look] + 2.5) * dense;
  pen.stroke(line);
  // Dashed, because nobody drives straight: who goes where is shown, not how.
  pen.setLineDash([8 * dense, 4 * dense]);
  pen.strokeStyle = pen.fillStyle = colour(COLOUR[look]);
  pen.lineWidth = WIDTH[look] * dense;
  pen.stroke(line);
  pen.setLineDash([]);
  pen.fill(head);
}
