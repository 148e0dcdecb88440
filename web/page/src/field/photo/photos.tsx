/** Taking photos: straight from the camera, or from the gallery; small previews that can be taken away again. */

import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { uuid } from "../../shared/uuid";
import type { Photo } from "../outbox/entry";
import { t } from "../words";
import { downscale } from "./downscale";

export const MOST_PHOTOS = 6;

/** Each file as a small JPEG; those that are no pictures are counted. */
export async function prepare(files: readonly File[]): Promise<{ photos: Photo[]; unreadable: number }> {
  const photos: Photo[] = [];
  let unreadable = 0;
  // One after another: a phone that decodes four 50-megapixel pictures at once may close the page.
  for (const file of files) {
    try {
      photos.push({ id: uuid(), sha256: null, ...(await downscale(file)) });
    } catch {
      unreadable += 1;
    }
  }
  return { photos, unreadable };
}

/** Each file as it is, byte for byte: evidence. Drawn here no larger than a stamp. */
export function originals(files: readonly File[]): Photo[] {
  return files.map((blob) => ({ id: uuid(), sha256: null, blob, width: STAMP, height: STAMP }));
}
const STAMP = 96;

export interface CameraProps {
  className: string;
  camera: boolean;
  onFiles: (files: File[]) => void;
  children: ComponentChildren;
}

/** A button that opens the camera (or the gallery). */
export function Camera({ className, camera, onFiles, children }: CameraProps) {
  return (
    <label class={className}>
      {children}
      <input
        type="file"
        accept="image/*"
        multiple={!camera}
        {...(camera ? { capture: "environment" } : {})}
        onChange={(event) => {
          const input = event.currentTarget;
          const files = [...(input.files ?? [])];
          // The same picture chosen twice must count as a change.
          input.value = "";
          if (files.length) onFiles(files);
        }}
      />
    </label>
  );
}

export function Previews({ photos, onRemove }: { photos: Photo[]; onRemove?: (id: string) => void }) {
  return (
    <ul class="previews">
      {photos.map((photo) => (
        <li key={photo.id}>
          <Preview photo={photo} />
          {onRemove && (
            <button type="button" class="remove" aria-label={t("photoRemove")} onClick={() => onRemove(photo.id)}>
              ×
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Preview({ photo }: { photo: Photo }) {
  const url = useMemo(() => (photo.blob ? URL.createObjectURL(photo.blob) : null), [photo.blob]);
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  const source = url ?? (photo.sha256 ? `/api/photos/${photo.sha256}?size=thumb` : "");
  return (
    <img
      src={source}
      alt=""
      width={photo.width}
      height={photo.height}
      loading="lazy"
      // Without a network the server's small picture cannot come: no broken frame in its place.
      onError={(event) => event.currentTarget.remove()}
    />
  );
}
