/** The keys, said once. */

import { useEffect, useRef } from "preact/hooks";
import { t } from "./text";

const KEYS = [
  ["J  K  ↓  ↑", "help.next"],
  ["Enter", "help.open"],
  ["X", "help.choose"],
  ["Esc", "help.close"],
  ["/", "help.filter"],
  ["S", "help.sort"],
  ["M", "help.map"],
  ["A", "help.assign"],
  ["?", "help.help"],
] as const;

export function Help({ close }: { close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class="help" aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">{t("help.title")}</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.split("  ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="primary" onClick={close}>
        {t("close")}
      </button>
    </dialog>
  );
}
