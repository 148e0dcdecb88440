/** The analyst's page: a period, a place, five files. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../shared/client";
import { Demonstration } from "../shared/demonstration";
import { lang, nameOf, onLang, setLang } from "../shared/i18n";
import { clock } from "../shared/time";
import type { District } from "../shared/types";
import { fetchFile, save, sizeOf } from "./fetch-file";
import { type Choices, Form, wrongWith, type ZoneName } from "./form";
import { Preview } from "./preview";
import { type Asked, addressOf, FORMATS, type Format, fileName, periodOf } from "./query";
import { t } from "./words";

/** Layers whose zones may be chosen by name; the grids are too many for a list. */
const CHOOSABLE = ["township", "joint", "dedicated", "water", "community"];

/** Until the district has said its own. */
const DEFAULT_ZONE = "Asia/Shanghai";

interface Outcome {
  state: "working" | "saved" | "refused";
  text: string;
}

export function App({ client }: { client: Client }) {
  const [, redraw] = useState(0);
  const [district, setDistrict] = useState<District | null>(null);
  const [choices, setChoices] = useState<Choices>({ matters: null, teams: [], zones: [] });
  const timeZone = district?.timezone ?? DEFAULT_ZONE;
  const today = clock(timeZone).day(Date.now());
  const [asked, setAsked] = useState<Asked>({ ...periodOf("last_month", today), team: "", matter: "", zone: "" });
  const [outcomes, setOutcomes] = useState<Partial<Record<Format, Outcome>>>({});
  const [trouble, setTrouble] = useState(false);

  useEffect(() => onLang(() => redraw((n) => n + 1)), []);
  useEffect(() => {
    document.title = t("title");
  });
  useEffect(() => {
    const know = (found: District): void => {
      setDistrict(found);
      // A demonstration has no last month: its cases were made today.
      const day = clock(found.timezone).day(Date.now());
      if (found.demonstration) setAsked((before) => ({ ...before, ...periodOf("last_7_days", day) }));
    };
    void learn(client, know, (part) => setChoices((before) => ({ ...before, ...part }))).catch(() => setTrouble(true));
  }, [client]);

  const wrong = wrongWith(asked);
  const tell = (format: Format, outcome: Outcome): void => setOutcomes((all) => ({ ...all, [format]: outcome }));

  const download = async (format: Format): Promise<void> => {
    tell(format, { state: "working", text: t("working") });
    const got = await fetchFile(addressOf(format, asked, timeZone), lang());
    if ("refused" in got) return tell(format, { state: "refused", text: got.refused });
    const name = fileName(format, district?.code ?? "district", asked);
    save(got.file, name);
    tell(format, { state: "saved", text: t("saved", { name, size: sizeOf(got.file.size) }) });
  };

  const schematic = district?.layers.filter((layer) => !layer.real) ?? [];
  return (
    <div class="desk">
      <header class="masthead">
        <div>
          <p class="quiet">
            {district ? nameOf(district) : " "} <Demonstration district={district} />
          </p>
          <h1>{t("title")}</h1>
        </div>
        <nav>
          <a href="/">{t("console")}</a>
          <button type="button" onClick={() => setLang(lang() === "zh" ? "en" : "zh")}>
            {t("language")}
          </button>
        </nav>
      </header>
      <div class="columns">
        <div class="left">
          <p>{t("lead")}</p>
          {trouble && (
            <p class="wrong" role="alert">
              {t("unreachable")}
            </p>
          )}
          <Form
            {...{ asked, today, choices }}
            onChange={(part) => {
              setAsked((before) => ({ ...before, ...part }));
              setOutcomes({});
            }}
          />
          <h2>{t("download")}</h2>
          <ul class="files">
            {FORMATS.map((format) => {
              const outcome = outcomes[format];
              return (
                <li key={format}>
                  <button
                    type="button"
                    class="file"
                    data-format={format}
                    disabled={Boolean(wrong) || outcome?.state === "working"}
                    onClick={() => void download(format)}
                  >
                    <strong>{t(format)}</strong>
                    <span class="suffix">.{format}</span>
                  </button>
                  <p class="quiet">{t(`${format}Hint`)}</p>
                  {outcome && (
                    <p class={`outcome ${outcome.state}`} role={outcome.state === "refused" ? "alert" : "status"}>
                      {outcome.text}
                    </p>
                  )}
                </li>
              );
            })}
          </ul>
          {schematic.length > 0 && (
            <p class="quiet">
              {t("schematic", {
                layers: schematic
                  .map((layer) => nameOf({ name: layer.label, name_en: layer.label_en }))
                  .join(lang() === "zh" ? "、" : ", "),
              })}
            </p>
          )}
        </div>
        <Preview address={wrong || (!district && !trouble) ? null : addressOf("html", asked, timeZone)} />
      </div>
    </div>
  );
}

async function learn(
  client: Client,
  setDistrict: (district: District) => void,
  add: (part: Partial<Choices>) => void,
): Promise<void> {
  const district = await client.district();
  setDistrict(district);
  const [matters, teams] = await Promise.all([client.matters(), client.teams()]);
  add({ matters, teams });
  const zones: Choices["zones"] = [];
  for (const name of CHOOSABLE) {
    const layer = district.layers.find((one) => one.name === name);
    if (!layer) continue;
    const { features } = await client.zones(name);
    zones.push({ layer, zones: features.map((zone) => zone.properties as ZoneName) });
    add({ zones: [...zones] });
  }
}
