/** Disputes: what each side says, what was ruled, and the row of the decision table that the ruling comes to. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Dispute, DraftRow, Said } from "../shared/casework";
import { nameOf } from "../shared/i18n";
import { clock } from "../shared/time";
import type { CaseDetail } from "../shared/types";
import type { Desk } from "./desk";
import { said } from "./order";
import { coded, t } from "./text";
import { w, wordOf } from "./words";

/** The last dispute of a case has the id of the return that opened it. */
export function disputeOf(detail: Pick<CaseDetail, "history">): string {
  const openings = detail.history.filter((event) => event.details.sides);
  return openings.reduce((a, b) => (b.seq > (a?.seq ?? 0) ? b : a), openings[0])?.id ?? "";
}

export function DisputePart({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const id = disputeOf(detail);
  const [dispute, setDispute] = useState<Dispute | null>(null);
  const [draft, setDraft] = useState<DraftRow | null>(null);
  const [failed, setFailed] = useState("");
  const [unfolded, setUnfolded] = useState(false);
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      const found = await desk.client.dispute(id);
      const row = found.ruling ? await desk.client.draftRow(id) : null;
      if (gone) return;
      setDispute(found);
      setDraft(row);
      if (found.open) setUnfolded(true);
      setFailed("");
    };
    if (id) read().catch((error: unknown) => !gone && setFailed(said(error)));
    return () => {
      gone = true;
    };
  }, [id, detail.seq]);
  if (!id) return null;
  const { teams, district } = desk.store.state;
  const team = (code: string): string => {
    const found = teams.get(code);
    return found ? nameOf(found) : code;
  };
  const time = clock(district?.timezone ?? "Asia/Shanghai");
  // Open while it is one; what is settled stays in sight for who saw it settled, and is a line for who comes later.
  return (
    <section class="dispute" aria-label={w("dispute.title")}>
      {failed && <p class="problem">{`${w("dispute.failed")} · ${failed}`}</p>}
      {dispute && (
        <details open={unfolded} onToggle={(event) => setUnfolded(event.currentTarget.open)}>
          <summary>
            <h3>
              {w("dispute.title")}
              <span class="sub">
                {dispute.ruling
                  ? w("dispute.to", { team: team(dispute.ruling.team) })
                  : w(dispute.open ? "dispute.open" : "dispute.over")}
              </span>
            </h3>
          </summary>
          <div class="sides">
            {dispute.sides.map((code) => (
              <Side
                key={code}
                name={team(code)}
                returns={dispute.returns.filter((one) => one.team === code)}
                grounds={dispute.grounds.filter((one) => one.team === code)}
                {...{ team, time }}
              />
            ))}
          </div>
          <div class="ruling">
            <h4>{w("dispute.ruling")}</h4>
            {dispute.ruling ? (
              <>
                <p>
                  <b>{w("dispute.to", { team: team(dispute.ruling.team) })}</b>
                </p>
                <Words one={dispute.ruling} time={time} />
              </>
            ) : (
              <p class="quiet">
                {dispute.ended_by
                  ? w("dispute.idle", { action: coded("action", dispute.ended_by) })
                  : w("dispute.noRuling")}
              </p>
            )}
          </div>
          {draft && <Draft draft={draft} />}
        </details>
      )}
    </section>
  );
}

type Time = ReturnType<typeof clock>;

interface SideProps {
  name: string;
  returns: readonly Said[];
  grounds: readonly Said[];
  team: (code: string) => string;
  time: Time;
}

function Side({ name, returns, grounds, team, time }: SideProps) {
  return (
    <article>
      <h4>{name}</h4>
      {returns.length > 0 && <p class="sub">{w("dispute.returned")}</p>}
      {returns.map((one) => (
        <div key={one.at}>
          <Words one={one} time={time} />
          <p class="sub">
            {[one.reason && wordOf("reason", one.reason), one.whose && w("dispute.whose", { team: team(one.whose) })]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
      ))}
      <p class="sub">{w("dispute.grounds")}</p>
      {grounds.length === 0 && <p class="quiet">{w("dispute.noGround")}</p>}
      {grounds.map((one) => (
        <Words key={one.at} one={one} time={time} />
      ))}
    </article>
  );
}

function Words({ one, time }: { one: Said; time: Time }) {
  return (
    <blockquote>
      {one.note}
      <footer>{[one.actor, time.stamp(one.at)].filter(Boolean).join(" · ")}</footer>
    </blockquote>
  );
}

/** The ruling as a row, with what is to be done with it. */
function Draft({ draft }: { draft: DraftRow }) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (!draft.row || !link.current) return;
    const url = URL.createObjectURL(new Blob([draft.csv], { type: "text/csv;charset=utf-8" }));
    link.current.href = url;
    return () => URL.revokeObjectURL(url);
  }, [draft]);
  return (
    <div class="draft">
      <h4>{w("dispute.draft")}</h4>
      <p>{w(`dispute.draft.${draft.status}`, { against: draft.against.join("、") })}</p>
      {draft.row && (
        <>
          <table>
            <tbody>
              {Object.entries(draft.row)
                .filter(([, value]) => value !== "")
                .map(([column, value]) => (
                  <tr key={column}>
                    <th scope="row">
                      <code>{column}</code>
                    </th>
                    <td>{value}</td>
                  </tr>
                ))}
            </tbody>
          </table>
          <a ref={link} class="button" href="#draft" download={`rules-draft-${draft.dispute.slice(0, 8)}.csv`}>
            {w("dispute.csv")}
          </a>
        </>
      )}
    </div>
  );
}

/** All disputes that nobody has ruled yet, for the coordination office. */
export function DisputeList({ desk }: { desk: Desk }) {
  const box = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState<readonly Dispute[] | null>(null);
  const [failed, setFailed] = useState("");
  const close = (): void => desk.store.set({ disputes: false });
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    desk.client.disputes(true).then(
      (page) => setOpen(page.items),
      (error: unknown) => setFailed(said(error)),
    );
    return () => {
      box.current?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const { teams, district, matters } = desk.store.state;
  const time = clock(district?.timezone ?? "Asia/Shanghai");
  const named = (code: string): string => {
    const found = teams.get(code) ?? matters?.items.find((one) => one.code === code);
    return found ? nameOf(found) : code;
  };
  return (
    <dialog ref={box} class="help disputes" aria-labelledby="disputes-title" onClose={close}>
      <h2 id="disputes-title">{w("disputes.title")}</h2>
      {failed && <p class="problem">{failed}</p>}
      {!open && !failed && <p class="quiet">{t("loading")}</p>}
      {open?.length === 0 && <p class="quiet">{w("disputes.none")}</p>}
      <ul>
        {open?.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              onClick={() => {
                close();
                desk.openCase(one.case);
              }}
            >
              <b>{named(one.matter)}</b>
              <span>{one.sides.map(named).join(" ⇄ ")}</span>
              <em>{`${one.case} · ${w("disputes.opened", { at: time.stamp(one.opened_at) })}`}</em>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="primary" onClick={close}>
        {t("close")}
      </button>
    </dialog>
  );
}
