/** What tells a demonstration from the real thing: a quiet badge that is always in sight. */

import { words } from "./i18n";
import type { District } from "./types";

export const ZH = { badge: "演示数据", meaning: "案件为虚构" } as const;
export const EN: Record<keyof typeof ZH, string> = { badge: "Demonstration data", meaning: "the cases are made" };

const t = words(ZH, EN);

/** Nothing where the cases are real, or while nobody knows yet. */
export function Demonstration({ district }: { district: District | null }) {
  if (!district?.demonstration) return null;
  return (
    <span class="demonstration" title={t("meaning")}>
      {t("badge")}
    </span>
  );
}
