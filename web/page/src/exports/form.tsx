/** What to count: when, whose, what, where. */

import { nameOf } from "../shared/i18n";
import type { LayerInfo, Matters, Team } from "../shared/types";
import { type Asked, daysIn, PRESETS, periodOf, presetOf } from "./query";
import { t } from "./words";

export interface ZoneName {
  code: string;
  name: string;
  name_en: string;
}

export interface Choices {
  matters: Matters | null;
  teams: Team[];
  zones: { layer: LayerInfo; zones: ZoneName[] }[];
}

export interface FormProps {
  asked: Asked;
  today: string;
  choices: Choices;
  onChange: (part: Partial<Asked>) => void;
}

/** What keeps a period from being asked for, in words; empty when nothing does. */
export function wrongWith(asked: Asked): string {
  const days = daysIn(asked);
  return Number.isNaN(days) ? t("noDay") : days < 1 ? t("backwards") : "";
}

export function Form({ asked, today, choices, onChange }: FormProps) {
  const preset = presetOf(asked, today);
  const wrong = wrongWith(asked);
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()}>
      <fieldset>
        <legend>{t("period")}</legend>
        <div class="presets">
          {PRESETS.map((name) => (
            <button
              type="button"
              key={name}
              aria-pressed={preset === name}
              onClick={() => onChange(periodOf(name, today))}
            >
              {t(name)}
            </button>
          ))}
        </div>
        <div class="days">
          <label>
            {t("from")}
            <input type="date" value={asked.from} onInput={(event) => onChange({ from: event.currentTarget.value })} />
          </label>
          <label>
            {t("to")}
            <input type="date" value={asked.to} onInput={(event) => onChange({ to: event.currentTarget.value })} />
          </label>
        </div>
        <p class={wrong ? "wrong" : "quiet"} role="status">
          {wrong || t("summary", { from: asked.from, to: asked.to, days: daysIn(asked) })}
        </p>
      </fieldset>
      <label>
        {t("team")}
        <select value={asked.team} onChange={(event) => onChange({ team: event.currentTarget.value })}>
          <option value="">{t("allTeams")}</option>
          {choices.teams.map((team) => (
            <option key={team.code} value={team.code}>
              {nameOf(team)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("matter")}
        <select value={asked.matter} onChange={(event) => onChange({ matter: event.currentTarget.value })}>
          <option value="">{t("allMatters")}</option>
          {choices.matters?.classes.map((one) => (
            <optgroup key={one.code} label={nameOf(one)}>
              <option value={one.code}>{t("wholeClass", { name: nameOf(one) })}</option>
              {choices.matters?.items
                .filter((matter) => matter.class === one.code)
                .map((matter) => (
                  <option key={matter.code} value={matter.code}>
                    {nameOf(matter)}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label>
        {t("zone")}
        <select value={asked.zone} onChange={(event) => onChange({ zone: event.currentTarget.value })}>
          <option value="">{t("wholeDistrict")}</option>
          {choices.zones.map(({ layer, zones }) => (
            <optgroup key={layer.name} label={nameOf({ name: layer.label, name_en: layer.label_en })}>
              {zones.map((zone) => (
                <option key={zone.code} value={`${layer.name}:${zone.code}`}>
                  {nameOf(zone)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
    </form>
  );
}
