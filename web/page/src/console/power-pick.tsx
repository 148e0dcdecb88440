/** One item of the power list, found while one types: code, words or pinyin initials. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Power } from "../shared/casework";
import { nameOf } from "../shared/i18n";
import type { Desk } from "./desk";
import { said } from "./order";
import { w } from "./words";

interface PowerPickProps {
  desk: Desk;
  /** What it is first searched by, before anything is typed: the matter's name. */
  first: string;
  chosen: Power | null;
  onChoose: (power: Power | null) => void;
}

export function PowerPick({ desk, first, chosen, onChoose }: PowerPickProps) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<readonly Power[]>([]);
  const [told, setTold] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const asked = useRef(0);
  const input = useRef<HTMLInputElement>(null);

  const search = async (q: string): Promise<void> => {
    asked.current += 1;
    const mine = asked.current;
    try {
      let { items } = await desk.client.powers(q || first);
      if (!q && items.length === 0) ({ items } = await desk.client.powers(""));
      if (mine !== asked.current) return; // a later letter was typed meanwhile
      setFound(items);
      setAt(0);
      setTold(items.length > 0 ? w("powerFound", { n: items.length }) : w("powerNone"));
    } catch (error) {
      if (mine === asked.current) setTold(said(error));
    }
  };
  useEffect(() => {
    if (!chosen) input.current?.focus();
  }, [chosen]);

  if (chosen) {
    return (
      <div class="power chosen">
        <span>
          <b>{`${chosen.code} ${nameOf(chosen)}`}</b>
          <em>{aboutPower(chosen)}</em>
        </span>
        <button type="button" onClick={() => onChoose(null)}>
          {w("powerChange")}
        </button>
      </div>
    );
  }
  const choose = (power: Power | undefined): void => {
    if (!power) return;
    setOpen(false);
    onChoose(power);
  };
  return (
    <div class="power">
      <input
        ref={input}
        type="text"
        role="combobox"
        autocomplete="off"
        aria-label={w("power")}
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        {...(open && found[at] ? { "aria-activedescendant": `${id}-${at}` } : {})}
        placeholder={w("powerHint")}
        value={typed}
        onFocus={() => {
          setOpen(true);
          if (found.length === 0) void search("");
        }}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setOpen(true);
          void search(event.currentTarget.value.trim());
        }}
        onKeyDown={(event) => {
          const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (by && found.length > 0) {
            setOpen(true);
            setAt((at + by + found.length) % found.length);
          } else if (event.key === "Enter") choose(open ? found[at] : undefined);
          else if (event.key === "Escape" && open) {
            setOpen(false);
            event.stopPropagation();
          } else return;
          event.preventDefault();
        }}
      />
      <p class="sub" role="status">
        {told}
      </p>
      <div id={`${id}-list`} role="listbox" aria-label={w("power")} hidden={!open || found.length === 0}>
        {found.map((power, i) => (
          <div
            key={power.code}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            // Before the field loses the focus, and with it the list.
            onMouseDown={(event) => {
              event.preventDefault();
              choose(power);
            }}
          >
            <b>{`${power.code} ${nameOf(power)}`}</b>
            <em>{aboutPower(power)}</em>
          </div>
        ))}
      </div>
    </div>
  );
}

function aboutPower(power: Power): string {
  const bases = power.bases.map(({ law, article }) => `《${law}》${article}`);
  return [power.department_name, w(`power.${power.procedure}`), ...bases].join(" · ");
}
