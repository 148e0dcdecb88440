/** Whether a case's record is whole, as far as the server can show it, and the files by which others check it. */

import { useEffect, useState } from "preact/hooks";
import type { Proof } from "../shared/casework";
import { Refused } from "../shared/client";
import { clock } from "../shared/time";
import type { CaseDetail } from "../shared/types";
import type { Desk } from "./desk";
import { said } from "./order";
import { firstBreak, leadsToRoot } from "./proof";
import { w } from "./words";

type Found =
  | { kind: "unasked" }
  | { kind: "in"; proof: Proof; right: boolean | null }
  | { kind: "notYet" }
  | { kind: "failed"; why: string };

export function RecordPart({ desk, detail }: { desk: Desk; detail: CaseDetail }) {
  const [found, setFound] = useState<Found>({ kind: "unasked" });
  useEffect(() => setFound({ kind: "unasked" }), [detail.seq]);
  const broken = firstBreak(detail.history);
  const { base } = desk.client;
  const ask = async (): Promise<void> => {
    try {
      const proof = await desk.client.proof(detail.case);
      setFound({ kind: "in", proof, right: await leadsToRoot(proof) });
    } catch (error) {
      const none = error instanceof Refused && error.problem.status === 404;
      setFound(none ? { kind: "notYet" } : { kind: "failed", why: said(error) });
    }
  };
  return (
    <section class="record" aria-label={w("record.title")}>
      <h3>{w("record.title")}</h3>
      {broken === null ? (
        <p class="right">{w("record.links", { n: detail.history.length })}</p>
      ) : (
        <p class="notice problem" role="alert">
          {w("record.broken", { n: broken })}
        </p>
      )}
      {found.kind === "unasked" && (
        <button type="button" onClick={() => void ask()}>
          {w("record.ask")}
        </button>
      )}
      <div role="status">
        {found.kind === "in" && <Inside desk={desk} detail={detail} proof={found.proof} right={found.right} />}
        {found.kind === "notYet" && <p>{w("record.notYet")}</p>}
        {found.kind === "failed" && <p class="problem">{w("record.failed", { detail: found.why })}</p>}
      </div>
      <p class="files">
        {found.kind === "in" && (
          <>
            <a href={`${base}/cases/${detail.case}/proof`} download={`proof-${detail.case}.json`}>
              {w("record.proof")}
            </a>
            <a href={`${base}/checkpoints/latest`} download={`checkpoint-${found.proof.checkpoint.number}.json`}>
              {w("record.checkpoint")}
            </a>
          </>
        )}
        <a href={`${base}/checkpoints?limit=1000`} download="checkpoints.json">
          {w("record.all")}
        </a>
      </p>
      <p class="sub">{w("record.says")}</p>
    </section>
  );
}

interface InsideProps {
  desk: Desk;
  detail: CaseDetail;
  proof: Proof;
  right: boolean | null;
}

function Inside({ desk, detail, proof, right }: InsideProps) {
  const { seq, seal, checkpoint } = proof;
  const time = clock(desk.store.state.district?.timezone ?? "Asia/Shanghai");
  const here = detail.history.find((event) => event.seq === seq);
  const later = detail.history.filter((event) => event.seq > seq).length;
  if (here && here.sealed !== seal) {
    return (
      <p class="notice problem" role="alert">
        {w("record.otherChain", { seq })}
      </p>
    );
  }
  const { number, cases, events, at } = checkpoint;
  return (
    <>
      <p class="right">{w("record.in", { seq, number, cases, events, at: time.stamp(at) })}</p>
      {right === false ? (
        <p class="notice problem" role="alert">
          {w("record.pathWrong")}
        </p>
      ) : (
        <p class={right ? "right" : ""}>{w(right ? "record.pathRight" : "record.pathOpen")}</p>
      )}
      {later > 0 && <p>{w("record.later", { n: later })}</p>}
    </>
  );
}
