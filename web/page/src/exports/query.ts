/** What the analyst asks for, and the address it is asked at. Pure. */

export const FORMATS = ["html", "png", "geojson", "gpkg", "csv"] as const;
export type Format = (typeof FORMATS)[number];

export const PRESETS = ["last_month", "this_month", "last_7_days"] as const;
export type Preset = (typeof PRESETS)[number];

/** Calendar days of the district, `YYYY-MM-DD`, both included. */
export interface Period {
  from: string;
  to: string;
}

export interface Asked extends Period {
  team: string;
  matter: string;
  zone: string;
}

const DAY_MS = 86_400_000;
const iso = (year: number, month: number, day: number): string =>
  new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

/** The period of a preset, seen from `today` (`YYYY-MM-DD` in the district's time zone). */
export function periodOf(preset: Preset, today: string): Period {
  const [year = 0, month = 1, day = 1] = today.split("-").map(Number);
  switch (preset) {
    case "last_month":
      return { from: iso(year, month - 2, 1), to: iso(year, month - 1, 0) };
    case "this_month":
      return { from: iso(year, month - 1, 1), to: today };
    case "last_7_days":
      return { from: iso(year, month - 1, day - 6), to: today };
  }
}

/** The preset that a period is, if any. */
export function presetOf(period: Period, today: string): Preset | null {
  return (
    PRESETS.find((preset) => {
      const { from, to } = periodOf(preset, today);
      return from === period.from && to === period.to;
    }) ?? null
  );
}

/** Days in a period, both ends counted; 0 or less when it ends before it begins; NaN when a day is missing. */
export function daysIn({ from, to }: Period): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
}

/**
 * The moment at which a calendar day begins in a time zone, RFC 3339 in UTC. Found from the zone's offset at that day,
 * which is read from the browser's own tables; exact where the clocks do not change at midnight.
 */
export function dayBegins(day: string, timeZone: string): string {
  const guess = Date.parse(`${day}T00:00:00Z`);
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const p = Object.fromEntries(format.formatToParts(guess).map((part) => [part.type, Number(part.value)]));
  const shown = Date.UTC(p.year ?? 0, (p.month ?? 1) - 1, p.day, p.hour, p.minute);
  return new Date(guess - (shown - guess)).toISOString();
}

/** The day after, `YYYY-MM-DD`. */
export function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}

/** The file's address. The last day is included: the interface's `to` is the moment at which the next one begins. */
export function addressOf(format: Format, asked: Asked, timeZone: string): string {
  const words = new URLSearchParams({
    from: dayBegins(asked.from, timeZone),
    to: dayBegins(dayAfter(asked.to), timeZone),
  });
  for (const key of ["team", "matter", "zone"] as const) if (asked[key]) words.set(key, asked[key]);
  return `/exports/heatmap.${format}?${words}`;
}

/** A file name that says what is in it. */
export function fileName(format: Format, district: string, asked: Asked): string {
  const parts = [district, asked.from, asked.to, asked.team, asked.matter, asked.zone].filter(Boolean);
  return `heatmap_${parts.join("_").replaceAll(":", "-")}.${format}`;
}
