/** The signs of cases and units: one set of shapes for the map and the page. Shape tells as much as colour does. */

import type { Mode } from "../shared/types";
import type { Look } from "./attention";

/** A part of a sign in a box of 24 by 24; colours are names of tokens. */
export interface Part {
  d: string;
  fill?: string;
  stroke?: string;
  width?: number;
  dash?: readonly number[];
  /** Drawn at 62 % about the middle, so that it fits inside a disc. */
  small?: boolean;
}

const circle = (r: number, x = 12, y = 12): string =>
  `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const dark = "late-ink";

const CASES: Readonly<Record<Look, readonly Part[]>> = {
  late: [
    { d: "M12 .8 23.2 12 12 23.2.8 12z", fill: "late", stroke: "bg", width: 1.2 },
    { d: "M10.5 5.6h3l-.5 8h-2z", fill: dark },
    { d: circle(1.6, 12, 16.6), fill: dark },
  ],
  returned: [
    { d: "M9 3h13v18H9L1.5 12z", fill: "returned", stroke: "bg", width: 1.2 },
    { d: "M18.5 12H9M13 7.8 8.8 12l4.2 4.2", stroke: dark, width: 2.2 },
  ],
  waiting: [
    { d: circle(9.4), fill: "bg" },
    { d: circle(9), fill: "bg", stroke: "waiting", width: 2.2, dash: [3.6, 2.05] },
    { d: "M9.3 9.6a2.8 2.8 0 1 1 4.3 2.4c-1.1.7-1.6 1.2-1.6 2.3", stroke: "waiting", width: 2 },
    { d: circle(1.2, 12, 16.8), fill: "waiting" },
  ],
  unclaimed: [
    {
      d: "M5 2.5h14A2.5 2.5 0 0 1 21.5 5v14a2.5 2.5 0 0 1-2.5 2.5H5A2.5 2.5 0 0 1 2.5 19V5A2.5 2.5 0 0 1 5 2.5z",
      fill: "unclaimed",
      stroke: "bg",
      width: 1.2,
    },
    { d: "M12 6.5V12l4 2.6", stroke: dark, width: 2.2 },
  ],
  assigned: [
    { d: circle(8.4), fill: "bg", stroke: "active", width: 2.6 },
    { d: circle(3), fill: "active" },
  ],
  accepted: [
    { d: circle(9.4), fill: "active", stroke: "bg", width: 1.2 },
    { d: "m10 7.4 4.6 4.6-4.6 4.6", stroke: dark, width: 2.4 },
  ],
  on_scene: [
    { d: circle(9.4), fill: "on-scene", stroke: "bg", width: 1.2 },
    { d: "M12 5.6a4.2 4.2 0 0 1 4.2 4.2c0 3.2-4.2 7.8-4.2 7.8s-4.2-4.6-4.2-7.8A4.2 4.2 0 0 1 12 5.6z", fill: dark },
  ],
  handled: [
    { d: circle(8.4), fill: "bg", stroke: "done", width: 2 },
    { d: "m7.8 12.2 3 3 5.4-6", stroke: "ok", width: 2.2 },
  ],
  closed: [
    { d: circle(6), fill: "surface-3", stroke: "done", width: 1.4 },
    { d: "m9.2 12.2 2 2 3.6-4", stroke: "done", width: 1.6 },
  ],
};

const BODY: Readonly<Record<Mode, string>> = {
  vehicle:
    "M2.5 6.5h10.2c.5 0 1 .2 1.3.6l2.6 3.4h2.9a2 2 0 0 1 2 2v4h-19zm2.7 8a2.5 2.5 0 1 0 .1 0zm13 0a2.5 2.5 0 1 0 .1 0z",
  boat: "M1.5 13.5h21l-2.8 5.6c-.3.6-.8.9-1.4.9H6.6c-.7 0-1.3-.4-1.6-1zM7 6h7l3 6H6zM11 2.5h1.6V6H11z",
};

export function unitParts(mode: Mode, busy: boolean): readonly Part[] {
  return busy
    ? [
        { d: circle(11.2), fill: "surface-3", stroke: "active", width: 1.8 },
        { d: BODY[mode], fill: "active", small: true },
      ]
    : [
        { d: circle(11.2), fill: "bg", stroke: "ink-3", width: 1.2 },
        { d: BODY[mode], stroke: "ink-2", width: 1.8, small: true },
      ];
}

export function caseParts(look: Look): readonly Part[] {
  return CASES[look];
}

function Shape({ part }: { part: Part }) {
  return (
    <path
      d={part.d}
      {...(part.small ? { transform: "translate(12 12) scale(.62) translate(-12 -12)" } : {})}
      fill={part.fill ? `var(--${part.fill})` : "none"}
      {...(part.stroke ? { stroke: `var(--${part.stroke})`, "stroke-width": part.width } : {})}
      {...(part.dash ? { "stroke-dasharray": part.dash.join(" ") } : {})}
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  );
}

function Sign({ parts, size }: { parts: readonly Part[]; size: number }) {
  return (
    <svg class="sign" viewBox="-0.5 -0.5 25 25" width={size} height={size} aria-hidden="true">
      {parts.map((part) => (
        <Shape key={part.d} part={part} />
      ))}
    </svg>
  );
}

export function CaseSign({ look, size = 20 }: { look: Look; size?: number }) {
  return <Sign parts={CASES[look]} size={size} />;
}

export function UnitSign({ mode, busy, size = 20 }: { mode: Mode; busy: boolean; size?: number }) {
  return <Sign parts={unitParts(mode, busy)} size={size} />;
}
