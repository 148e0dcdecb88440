/** The worker's flow: where, what, a photo, send. Then: who comes. */

import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../shared/client";
import type { Duplicate } from "../../shared/duplicates";
import { nameOf } from "../../shared/i18n";
import type { Case, Datum, District, Matters } from "../../shared/types";
import { Picker } from "../matter/picker";
import { keepRecent } from "../matter/search";
import type { DeedEntry, Draft, Entry, ReportEntry } from "../outbox/entry";
import { Camera, MOST_PHOTOS, Previews, prepare } from "../photo/photos";
import { better, type LonLat, onMap, zonesAt } from "../position/place";
import { PlaceMap } from "../position/place-map";
import { keepDatum, keptDatum, useDevicePosition } from "../position/watch";
import type { Crews } from "../records/receipt";
import { alreadyOpen } from "../same/ask";
import { Same } from "../same/same";
import { t as sameSays } from "../same/words";
import { t } from "../words";
import { Details } from "./details";
import { PlaceLine } from "./place-line";
import { SentCard } from "./sent-card";

export interface ReportProps {
  client: Client;
  district: District | null;
  matters: Matters | null;
  entry: ReportEntry;
  /** The entry as it is stored, once it was queued. */
  sent: Entry | undefined;
  entries: readonly Entry[];
  crews: Crews;
  live: Case | undefined;
  onChange: (change: (entry: ReportEntry) => ReportEntry) => void;
  onSend: (entry: ReportEntry) => Promise<void>;
  onDeed: (deed: DeedEntry) => void;
  onAgain: () => void;
  onEdit: (id: string) => void;
  onHurry: () => void;
  onSay: (text: string) => void;
}

export function Report(props: ReportProps) {
  const { client, district, matters, entry, onChange, onSay } = props;
  const { draft, photos } = entry;
  const [datum, setDatum] = useState<Datum>(keptDatum);
  const [round, setRound] = useState(0);
  const [follow, setFollow] = useState(draft.place === null);
  const [working, setWorking] = useState(false);
  const [zones, setZones] = useState<Record<string, GeoJSON.FeatureCollection>>({});
  const [asking, setAsking] = useState(false);
  const [offered, setOffered] = useState<readonly Duplicate[]>([]);
  const device = useDevicePosition(datum, round);

  const change = (part: Partial<Draft>): void => onChange((e) => ({ ...e, draft: { ...e.draft, ...part } }));

  useEffect(() => {
    const { fix } = device;
    if (!fix || !follow) return;
    onChange((e) => ({ ...e, draft: { ...e.draft, place: better(e.draft.place, fix) } }));
  }, [device.fix, follow, entry.id]);

  useEffect(() => setFollow(draft.place === null || (draft.place.by === "device" && photos.length === 0)), [entry.id]);

  const addPhotos = async (files: File[]): Promise<void> => {
    setWorking(true);
    const room = MOST_PHOTOS - photos.length;
    const taken = await prepare(files.slice(0, room));
    setWorking(false);
    if (taken.unreadable) onSay(t("photoUnreadable"));
    else if (files.length > room) onSay(t("photoLimit", { n: MOST_PHOTOS }));
    if (taken.photos.length === 0) return;
    // What is in the picture is here and now: from now on the pin stays, wherever the worker walks.
    setFollow(false);
    onChange((e) => ({
      ...e,
      photos: [...e.photos, ...taken.photos],
      draft: { ...e.draft, seenAt: e.draft.seenAt ?? Date.now() },
    }));
  };

  const send = async (): Promise<void> => {
    if (!draft.place) return onSay(t("placeFirst"));
    if (asking) return;
    keepRecent(draft.matter);
    setAsking(true);
    const open = await alreadyOpen(client, entry);
    setAsking(false);
    if (open.length > 0) setOffered(open);
    else await deliver("");
  };
  /** joins: the case that it is the same as; empty: it is another. */
  const deliver = async (joins: string): Promise<void> => {
    setOffered([]);
    await props.onSend({ ...entry, draft: { ...draft, joins } });
  };
  useEffect(() => setOffered([]), [entry.id]);

  if (props.sent && props.sent.state !== "draft" && props.sent.kind === "report") {
    const { entries, crews, onAgain, onEdit, onHurry, onDeed, live, sent } = props;
    return (
      <SentCard {...{ client, district, sent, entries, crews, live, matters, onAgain, onEdit, onHurry, onDeed }} />
    );
  }

  if (offered.length > 0) {
    return (
      <Same
        offered={offered}
        onSame={(one) => void deliver(one.case)}
        onAnother={() => void deliver("")}
        onBack={() => setOffered([])}
      />
    );
  }

  const at: LonLat | null = draft.place && onMap(draft.place);
  const names = at ? ["township", "community", "water", "joint"].flatMap((l) => zonesAt(zones[l], at)) : [];
  const labels = names.map((z) =>
    nameOf({ name: String(z.properties?.name), name_en: z.properties?.name_en as string }),
  );
  const outside = at !== null && zones.township !== undefined && zonesAt(zones.township, at).length === 0;
  const chosen =
    matters?.items.find((m) => m.code === draft.matter) ?? matters?.classes.find((c) => c.code === draft.matter);

  return (
    <div class={`report ${chosen ? "chosen" : "choosing"}`}>
      <section class="where">
        {district && (
          <PlaceMap
            {...{ client, district }}
            place={draft.place}
            onPlace={(place) => {
              setFollow(false);
              change({ place });
            }}
            onZones={(layer, shown) => setZones((before) => ({ ...before, [layer]: shown }))}
          />
        )}
        <PlaceLine
          {...{ device, datum, outside }}
          place={draft.place}
          zones={labels}
          onRelocate={() => {
            change({ place: null });
            setFollow(true);
            setRound((n) => n + 1);
          }}
          onDatum={(next) => {
            keepDatum(next);
            setDatum(next);
            if (draft.place?.by === "device") change({ place: null });
            setFollow(true);
          }}
        />
      </section>
      <div class="what">
        {!matters && <p class="notice">{t("noDistrict")}</p>}
        {matters && !chosen && <Picker matters={matters} onPick={(matter) => change({ matter })} />}
        {chosen && (
          <>
            <div class="chosen-matter">
              <strong>{nameOf(chosen)}</strong>
              <button type="button" class="ghost" onClick={() => change({ matter: "" })}>
                {t("change")}
              </button>
            </div>
            {entry.problem && <p class="notice">{entry.problem.detail}</p>}
            <Previews
              photos={photos}
              onRemove={(id) => onChange((e) => ({ ...e, photos: e.photos.filter((p) => p.id !== id) }))}
            />
            {working && <p class="quiet">{t("photoWorking")}</p>}
            <Camera className="gallery ghost" camera={false} onFiles={(files) => void addPhotos(files)}>
              {t("gallery")}
            </Camera>
            <Details draft={draft} onChange={change} />
          </>
        )}
      </div>
      {chosen && (
        <footer class="actions">
          {photos.length === 0 ? (
            <>
              <button type="button" class="second send-bare" disabled={asking} onClick={() => void send()}>
                {asking ? sameSays("asking") : t("sendNoPhoto")}
              </button>
              <Camera className="primary camera" camera onFiles={(files) => void addPhotos(files)}>
                {t("photo")}
              </Camera>
            </>
          ) : (
            <>
              <Camera className="second" camera onFiles={(files) => void addPhotos(files)}>
                {t("photoMore")}
              </Camera>
              <button type="button" class="primary send" disabled={working || asking} onClick={() => void send()}>
                {asking ? sameSays("asking") : t("send")}
              </button>
            </>
          )}
        </footer>
      )}
    </div>
  );
}
