/** What may be done to the open case by the role at hand: the next step first, the rest under a lid. */

import { useState } from "preact/hooks";
import type { CaseDetail, Possible, Role } from "../shared/types";
import { Confirm } from "./confirm";
import type { Desk } from "./desk";
import { ActionButtons, NoticeLine, type Ordering, useOrdering } from "./ordering";
import { choices, ROLES } from "./seat";
import { t } from "./text";
import { w } from "./words";

/** Steps of enforcement, which have a place of their own. */
export const OF_PROCEDURE: ReadonlySet<string> = new Set([
  "file",
  "inquire",
  "review",
  "deliberate",
  "decide",
  "penalise",
  "serve",
  "execute",
  "archive",
  "transfer",
  "drop",
]);

export function Orders({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const ordering = useOrdering(desk, detail, "orders");
  const possible = detail.actions.filter((one) => !OF_PROCEDURE.has(one.action));
  return (
    <section class="orders" aria-label={t("do.title")}>
      <SeatPicker desk={desk} />
      <Confirm detail={detail} onChoice={ordering.settle} />
      {possible.length === 0 ? (
        <p class="quiet">{t("do.none")}</p>
      ) : (
        <Offered desk={desk} ordering={ordering} possible={possible} />
      )}
      {ordering.form}
      <NoticeLine desk={desk} beside="orders" />
    </section>
  );
}

/** As whom one acts: there are no accounts yet, so the page asks, and remembers. */
export function SeatPicker({ desk }: { desk: Desk }) {
  const { seat } = desk.store.state;
  return (
    <label class="seat" title={w("role.note")}>
      <span>{w("role.label")}</span>
      <select value={seat.role} onChange={(event) => desk.sit({ role: event.currentTarget.value as Role })}>
        {ROLES.map((role) => (
          <option key={role} value={role}>
            {w(`role.${role}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface OfferedProps {
  desk: Desk;
  ordering: Ordering;
  possible: readonly Possible[];
}

/** What this role may do, and who is waited for where the next step is another's. */
export function Offered({ desk, ordering, possible }: OfferedProps) {
  const [lifted, setLifted] = useState(false);
  const { role } = desk.store.state.seat;
  const { next, shown, more } = choices(possible, role);
  const other = next && !next.by.includes(role) ? next.by[0] : undefined;
  const begun = more.some((one) => one.action === ordering.order?.action);
  return (
    <>
      {next && other && (
        <p class="waits">
          <span>{w("waits", { who: w(`role.${other}`), action: t(`action.${next.action}`) })}</span>
          <button type="button" class="inline" onClick={() => desk.sit({ role: other })}>
            {w("takeRole", { who: w(`role.${other}`) })}
          </button>
        </p>
      )}
      {shown.length + more.length === 0 && !other && <p class="quiet">{w("nothing")}</p>}
      <ActionButtons ordering={ordering} those={shown} next={next} />
      {more.length > 0 && (
        <details class="more" open={lifted || begun} onToggle={(event) => setLifted(event.currentTarget.open)}>
          <summary>{w("more")}</summary>
          <ActionButtons ordering={ordering} those={more} next={next} />
        </details>
      )}
    </>
  );
}
