import "maplibre-gl/dist/maplibre-gl.css";
import "../shared/tokens.css";
import "./styles/frame.css";
import "./styles/queue.css";
import "./styles/map.css";
import "./styles/panel.css";
import "./styles/assignment.css";
import "./styles/actions.css";
import "./styles/same.css";

import { render } from "preact";
import { Client } from "../shared/client";
import { lang } from "../shared/i18n";
import type { Unit } from "../shared/types";
import { App } from "./app";
import { Desk } from "./desk";
import { listenToKeys } from "./keyboard";
import { Store } from "./state";

declare global {
  interface Window {
    /**
     * For measuring in a browser, nothing else: `ready` resolves when the lists are read and the map stands (or cannot);
     * `drawn(case)` says when a case was first on the screen, in milliseconds since the epoch; `where(unit)` where a unit is.
     */
    __onegrid?: {
      ready: Promise<void>;
      drawn: (caseId: string) => number | undefined;
      where: (unit: string) => Unit | undefined;
    };
  }
}

const store = new Store();
const desk = new Desk(store, new Client({ lang }));

window.__onegrid = {
  ready: new Promise((done) => {
    const stop = store.subscribe(() => {
      if (store.state.loading.kind !== "ready" || !(desk.map || store.state.mapFailed)) return;
      stop();
      done();
    });
  }),
  drawn: (caseId) => desk.map?.over.shownAt(caseId),
  where: (unit) => store.state.units.get(unit),
};

const root = document.getElementById("app");
if (root) render(<App desk={desk} />, root);
listenToKeys(desk);
desk.keepTime();
void desk.start();
