/** The filter: team, matter, state, time, words. What is chosen is in the address. */

import { nameOf } from "../shared/i18n";
import type { Matters, Team } from "../shared/types";
import type { Desk } from "./desk";
import { chosen, SINCES, STATES } from "./filter";
import { t } from "./text";

const KINDS = ["township", "water", "joint", "specialist"] as const;

export function Filters({ desk }: { desk: Desk }) {
  const { filter, teams, matters } = desk.store.state;
  const set = chosen(filter);
  return (
    <search class="filters" aria-label={t("filter")}>
      <input
        id="filter-words"
        type="search"
        class="wide"
        value={filter.words}
        placeholder={t("filterWords")}
        aria-label={t("filter")}
        autocomplete="off"
        onInput={(event) => desk.setFilter({ words: event.currentTarget.value })}
      />
      <select
        class={filter.team ? "set" : ""}
        aria-label={t("allTeams")}
        value={filter.team}
        onChange={(event) => desk.setFilter({ team: event.currentTarget.value })}
      >
        <option value="">{t("allTeams")}</option>
        <TeamOptions teams={[...teams.values()]} />
      </select>
      <select
        class={filter.matter ? "set" : ""}
        aria-label={t("allMatters")}
        value={filter.matter}
        onChange={(event) => desk.setFilter({ matter: event.currentTarget.value })}
      >
        <option value="">{t("allMatters")}</option>
        {matters && <MatterOptions matters={matters} />}
      </select>
      <select
        class={filter.state ? "set" : ""}
        aria-label={t("allStates")}
        value={filter.state}
        onChange={(event) => {
          const state = STATES.find((one) => one === event.currentTarget.value) ?? "";
          desk.setFilter({ state });
        }}
      >
        <option value="">{t("allStates")}</option>
        {STATES.map((state) => (
          <option key={state} value={state}>
            {t(`state.${state}`)}
          </option>
        ))}
      </select>
      <select
        class={filter.since ? "set" : ""}
        aria-label={t("allTimes")}
        value={filter.since}
        onChange={(event) => {
          const since = SINCES.find((one) => one === event.currentTarget.value) ?? "";
          desk.setFilter({ since });
        }}
      >
        <option value="">{t("allTimes")}</option>
        {SINCES.map((since) => (
          <option key={since} value={since}>
            {t(`since.${since}`)}
          </option>
        ))}
      </select>
      <label class={filter.unsure ? "only set" : "only"}>
        <input
          type="checkbox"
          checked={filter.unsure}
          onChange={(event) => desk.setFilter({ unsure: event.currentTarget.checked })}
        />
        {t("confirm.only")}
      </label>
      {set > 0 && (
        <button
          type="button"
          class="clear"
          onClick={() => desk.setFilter({ team: "", matter: "", state: "", since: "", words: "", unsure: false })}
        >
          {t("clear")}
        </button>
      )}
    </search>
  );
}

/** Teams by kind. */
export function TeamOptions({ teams, without }: { teams: readonly Team[]; without?: string }) {
  return (
    <>
      {KINDS.map((kind) => {
        const those = teams.filter((team) => team.kind === kind && team.code !== without);
        return (
          those.length > 0 && (
            <optgroup key={kind} label={t(`kind.${kind}`)}>
              {those.map((team) => (
                <option key={team.code} value={team.code}>
                  {nameOf(team)}
                </option>
              ))}
            </optgroup>
          )
        );
      })}
    </>
  );
}

function MatterOptions({ matters }: { matters: Matters }) {
  return (
    <>
      {matters.classes.map((group) => (
        <optgroup key={group.code} label={`${group.code} ${nameOf(group)}`}>
          <option value={group.code}>{t("wholeClass", { name: nameOf(group) })}</option>
          {matters.items
            .filter((matter) => matter.class === group.code)
            .map((matter) => (
              <option key={matter.code} value={matter.code}>
                {nameOf(matter)}
              </option>
            ))}
        </optgroup>
      ))}
    </>
  );
}
