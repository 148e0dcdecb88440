/** The notice over all tabs: what happened to a case of the crew's. */

import { nameOf } from "../../shared/i18n";
import type { Kind } from "./heed";
import type { Heard } from "./use-notices";
import "./notices.css";
import { t } from "./words";

const GONE: ReadonlySet<Kind> = new Set(["taken", "over", "gone"]);

export function Banner({ heard }: { heard: Heard }) {
  const [first, ...others] = heard.notices;
  return (
    <div role="status">
      {first && (
        <div class={`field-notice ${first.kind}`} data-notice={first.case.case}>
          <p>
            <strong>{t(first.kind)}</strong>
            <br />
            {nameOf({ name: first.case.matter_name, name_en: first.case.matter_name_en })} · {first.case.case}
            {others.length > 0 && ` · ${t("more", { n: others.length })}`}
          </p>
          {!GONE.has(first.kind) && (
            <button
              type="button"
              onClick={() => {
                heard.clear();
                location.hash = "#tasks";
              }}
            >
              {t("look")}
            </button>
          )}
          <button type="button" onClick={heard.next}>
            {t("known")}
          </button>
        </div>
      )}
    </div>
  );
}
