/** The web page file as it will be, drawn in the page. Made anew when what is asked for changes, after a moment's rest. */

import { useEffect, useState } from "preact/hooks";
import { lang } from "../shared/i18n";
import { fetchFile } from "./fetch-file";
import { t } from "./words";

const REST_MS = 700;

type Shown = { state: "working" } | { state: "ready"; html: string } | { state: "refused"; why: string };

export function Preview({ address }: { address: string | null }) {
  const [shown, setShown] = useState<Shown>({ state: "working" });
  const [round, setRound] = useState(0);
  const language = lang();
  useEffect(() => {
    if (!address) return;
    const stop = new AbortController();
    setShown({ state: "working" });
    const timer = setTimeout(async () => {
      try {
        const got = await fetchFile(address, language, stop.signal);
        if ("refused" in got) setShown({ state: "refused", why: got.refused });
        else setShown({ state: "ready", html: await got.file.text() });
      } catch {
        // Something else was asked for in the meantime.
      }
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [address, language, round]);

  if (!address) return null;
  return (
    <section class="preview" aria-busy={shown.state === "working"}>
      <div class="preview-head">
        <h2>{t("preview")}</h2>
        <p class="quiet">{shown.state === "ready" ? t("previewLead") : ""}</p>
      </div>
      {shown.state === "working" && <p class="over">{t("previewWorking")}</p>}
      {shown.state === "refused" && (
        <div class="over" role="alert">
          <p class="wrong">{shown.why}</p>
          <button type="button" onClick={() => setRound((n) => n + 1)}>
            {t("retry")}
          </button>
        </div>
      )}
      {shown.state === "ready" && <iframe title={t("preview")} srcdoc={shown.html} sandbox="allow-scripts" />}
    </section>
  );
}
