/** Moments and lengths of time as people read them, in the district's own time zone. */

import type { Lang } from "./types";

export interface Clock {
  /** 15:04 */
  time(at: number | string): string;
  /** 15:04:05 */
  seconds(at: number | string): string;
  /** 11-23 15:04 */
  stamp(at: number | string): string;
  /** 2026-11-23 */
  day(at: number | string): string;
}

/** Formats moments (milliseconds or RFC 3339) in one IANA time zone. */
export function clock(timeZone: string): Clock {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const parts = (at: number | string): Record<string, string> =>
    Object.fromEntries(format.formatToParts(new Date(at)).map((part) => [part.type, part.value]));
  return {
    time: (at) => {
      const p = parts(at);
      return `${p.hour}:${p.minute}`;
    },
    seconds: (at) => {
      const p = parts(at);
      return `${p.hour}:${p.minute}:${p.second}`;
    },
    stamp: (at) => {
      const p = parts(at);
      return `${p.month}-${p.day} ${p.hour}:${p.minute}`;
    },
    day: (at) => {
      const p = parts(at);
      return `${p.year}-${p.month}-${p.day}`;
    },
  };
}

/** Milliseconds at which the day of `now` began in a time zone. */
export function startOfDay(now: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const [h = 0, m = 0, s = 0] = format.format(now).split(":").map(Number);
  return now - (now % 1000) - ((h * 60 + m) * 60 + s) * 1000;
}

/** A length of time in its two largest units at most: `42 秒`, `7 分钟`, `3 小时 5 分`, `2 天 4 小时`. */
export function span(ms: number, lang: Lang): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const zh = lang === "zh";
  if (seconds < 60) return zh ? `${seconds} 秒` : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return zh ? `${minutes} 分钟` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    const rest = minutes % 60;
    if (rest === 0) return zh ? `${hours} 小时` : `${hours} h`;
    return zh ? `${hours} 小时 ${rest} 分` : `${hours} h ${rest} min`;
  }
  const days = Math.floor(hours / 24);
  const rest = hours % 24;
  if (rest === 0) return zh ? `${days} 天` : `${days} d`;
  return zh ? `${days} 天 ${rest} 小时` : `${days} d ${rest} h`;
}

/** A time of travel, in whole minutes as the reasons give it: `7 分钟`. */
export function travel(seconds: number, lang: Lang): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return lang === "zh" ? `${minutes} 分钟` : `${minutes} min`;
}

/** A distance on the ground: `850 米`, `5.2 公里`. */
export function distance(metres: number, lang: Lang): string {
  if (metres < 1000) return lang === "zh" ? `${Math.round(metres)} 米` : `${Math.round(metres)} m`;
  const km = (metres / 1000).toFixed(metres < 10_000 ? 1 : 0);
  return lang === "zh" ? `${km} 公里` : `${km} km`;
}
