import { lang } from "../../shared/i18n";
import { span } from "../../shared/time";
import { t } from "../words";

/** How long until a case is due, or how late it is. */
export function Due({ at, now }: { at: string; now: number }) {
  const left = Date.parse(at) - now;
  return left < 0 ? (
    <span class="late">{t("late", { span: span(-left, lang()) })}</span>
  ) : (
    <span>{t("due", { span: span(left, lang()) })}</span>
  );
}
