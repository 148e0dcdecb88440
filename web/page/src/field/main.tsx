import "maplibre-gl/dist/maplibre-gl.css";
import "../shared/tokens.css";
import "./styles/frame.css";
import "./styles/report.css";
import "./styles/records.css";
import "./styles/confirm.css";
import "./styles/tasks.css";
import "./styles/wide.css";
import "./same/same.css";
import { render } from "preact";
import { Client } from "../shared/client";
import { lang } from "../shared/i18n";
import { App } from "./app";

/** A thin line is slow, not dead: photos get three minutes, everything else half of one. */
const patient: typeof fetch = (input, init) =>
  fetch(input, {
    ...init,
    signal: init?.signal ?? AbortSignal.timeout(init?.body instanceof FormData ? 180_000 : 30_000),
  });

const client = new Client({ lang, fetch: patient });
const root = document.getElementById("app");
if (root) render(<App client={client} />, root);

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  void navigator.serviceWorker.register("/field-sw.js", { scope: "/field" });
}
