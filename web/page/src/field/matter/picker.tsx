/** Choosing the matter: what was used last, else class then matter, else by words. Two taps at most. */

import { useState } from "preact/hooks";
import { nameOf } from "../../shared/i18n";
import type { Matter, Matters } from "../../shared/types";
import { t } from "../words";
import { recentMatters, searchMatters } from "./search";

export interface PickerProps {
  matters: Matters;
  onPick: (code: string) => void;
}

export function Picker({ matters, onPick }: PickerProps) {
  const [asked, setAsked] = useState("");
  const [open, setOpen] = useState<string | null>(null);
  const [recent] = useState(recentMatters);
  const byCode = new Map(matters.items.map((m) => [m.code, m]));
  const last = recent.flatMap((code) => byCode.get(code) ?? []);
  const opened = matters.classes.find((c) => c.code === open);

  if (opened && !asked) {
    const items = matters.items.filter((m) => m.class === opened.code);
    return (
      <section class="picker" aria-label={nameOf(opened)}>
        <div class="picker-head">
          <button type="button" class="ghost" onClick={() => setOpen(null)}>
            ← {t("back")}
          </button>
          <h2>{nameOf(opened)}</h2>
        </div>
        <MatterButtons items={items} onPick={onPick} />
        <button type="button" class="wide ghost" onClick={() => onPick(opened.code)}>
          {t("allOfClass")}：{nameOf(opened)}
        </button>
      </section>
    );
  }

  const found = asked ? searchMatters(matters, asked) : [];
  return (
    <section class="picker" aria-label={t("whatIsIt")}>
      <input
        type="search"
        class="search"
        value={asked}
        placeholder={t("search")}
        aria-label={t("search")}
        enterkeyhint="search"
        autocomplete="off"
        onInput={(event) => setAsked(event.currentTarget.value)}
      />
      {asked ? (
        found.length ? (
          <MatterButtons items={found.slice(0, 30)} onPick={onPick} />
        ) : (
          <p class="quiet">{t("noneFound")}</p>
        )
      ) : (
        <>
          {last.length > 0 && (
            <>
              <h3>{t("recent")}</h3>
              <MatterButtons items={last} onPick={onPick} />
            </>
          )}
          <h3>{last.length > 0 ? t("classes") : t("whatIsIt")}</h3>
          <div class="grid2">
            {matters.classes.map((c) => (
              <button type="button" class="big" key={c.code} onClick={() => setOpen(c.code)}>
                {nameOf(c)}
              </button>
            ))}
          </div>
        </>
      )}
    </section>
  );
}

function MatterButtons({ items, onPick }: { items: Matter[]; onPick: (code: string) => void }) {
  return (
    <div class="grid2">
      {items.map((m) => (
        <button type="button" class="big matter" key={m.code} data-matter={m.code} onClick={() => onPick(m.code)}>
          <span>{nameOf(m)}</span>
          <MatterTags matter={m} />
        </button>
      ))}
    </div>
  );
}

export function MatterTags({ matter }: { matter: Matter }) {
  return (
    <span class="tags">
      {matter.urgency === 1 && <em class="urgent">{t("urgency1")}</em>}
      {matter.on_water && <em class="water">{t("onWater")}</em>}
    </span>
  );
}
