import "../shared/tokens.css";
import "./exports.css";
import { render } from "preact";
import { Client } from "../shared/client";
import { lang } from "../shared/i18n";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App client={new Client({ lang })} />, root);
