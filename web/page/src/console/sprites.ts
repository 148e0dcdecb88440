/** The signs as small pictures, each drawn once a size. */

import type { Look } from "./attention";
import { caseParts, type Part, unitParts } from "./icons";

/** The glow about a late case, in sizes of its sign. */
const GLOW = 1.9;

export class Sprites {
  private readonly pictures = new Map<string, HTMLCanvasElement>();
  private readonly tokens = getComputedStyle(document.documentElement);

  /** The colour of a token. */
  colour(token: string): string {
    return this.tokens.getPropertyValue(`--${token}`).trim();
  }

  /** `size` in device pixels. */
  ofCase(look: Look, size: number): HTMLCanvasElement {
    return this.once(`${look} ${size}`, () =>
      look === "late" ? this.draw(caseParts(look), size, GLOW) : this.draw(caseParts(look), size, 1),
    );
  }

  ofUnit(sign: `${"vehicle" | "boat"}-${"busy" | "free"}`, size: number): HTMLCanvasElement {
    const mode = sign.startsWith("boat") ? "boat" : "vehicle";
    return this.once(`${sign} ${size}`, () => this.draw(unitParts(mode, sign.endsWith("busy")), size, 1));
  }

  private once(key: string, make: () => HTMLCanvasElement): HTMLCanvasElement {
    let picture = this.pictures.get(key);
    if (!picture) {
      picture = make();
      this.pictures.set(key, picture);
    }
    return picture;
  }

  private draw(parts: readonly Part[], size: number, room: number): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.ceil(size * room);
    const pen = canvas.getContext("2d");
    if (!pen) return canvas;
    const middle = canvas.width / 2;
    if (room > 1) {
      pen.globalAlpha = 0.22;
      pen.fillStyle = this.colour("late");
      pen.beginPath();
      pen.arc(middle, middle, middle, 0, 2 * Math.PI);
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.translate(middle, middle);
    pen.scale(size / 25, size / 25);
    pen.translate(-12, -12);
    pen.lineCap = pen.lineJoin = "round";
    for (const part of parts) this.drawPart(pen, part);
    return canvas;
  }

  private drawPart(pen: CanvasRenderingContext2D, part: Part): void {
    pen.save();
    if (part.small) {
      pen.translate(12, 12);
      pen.scale(0.62, 0.62);
      pen.translate(-12, -12);
    }
    const path = new Path2D(part.d);
    if (part.fill) {
      pen.fillStyle = this.colour(part.fill);
      pen.fill(path);
    }
    if (part.stroke) {
      pen.strokeStyle = this.colour(part.stroke);
      pen.lineWidth = part.width ?? 1;
      pen.setLineDash(part.dash ? [...part.dash] : []);
      pen.stroke(path);
    }
    pen.restore();
  }
}
