/** Pictures made small on the device: at most 2048 px on the longer side, JPEG, turned upright, without metadata. */

export const LONGEST_SIDE = 2048;
const QUALITY = 0.82;

/** Width and height to draw a picture at: never enlarged, the longer side at most `longest`, neither below 1. */
export function fitted(width: number, height: number, longest = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

export interface SmallPicture {
  blob: Blob;
  width: number;
  height: number;
}

/**
 * Drawing anew leaves everything but the pixels behind: EXIF, and with it the place where a picture was taken, never
 * leaves the phone. Throws when the file is no picture that this browser can read.
 */
export async function downscale(file: Blob): Promise<SmallPicture> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const size = fitted(bitmap.width, bitmap.height);
    const canvas = document.createElement("canvas");
    canvas.width = size.width;
    canvas.height = size.height;
    const pen = canvas.getContext("2d");
    if (!pen) throw new Error("no canvas");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, size.width, size.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(bitmap, 0, 0, size.width, size.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (!blob) throw new Error("no JPEG");
    return { blob, ...size };
  } finally {
    bitmap.close();
  }
}
