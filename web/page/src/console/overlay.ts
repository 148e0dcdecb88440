/**
 * What changes all the time, drawn on a canvas over the map: cases, units, the selection.
 *
 * Not layers of the map below: five thousand cases in a map source cost the worker a tile and the screen several frames
 * for each new report, and without a graphics card each frame draws the whole district again. Here a new case is one
 * frame of small pictures, and the district under it is not touched.
 */

import type { Map as MapLibre } from "maplibre-gl";
import type { Case, Unit } from "../shared/types";
import { type PairLine, paintPairs } from "./assignment-lines";
import { LOOKS, type Look } from "./attention";
import { Crowd } from "./crowd";
import { between, left, type Spot, spot, top, type View, viewAt } from "./place";
import { Sprites } from "./sprites";
import { inRows, STEP, type Standing, UNIT_SIZES, UNITS_FROM } from "./standing";

/** Zoom and size in CSS pixels. Late is the largest thing on the map, then what else asks for an eye. */
const LATE = [
  [9, 17],
  [11.5, 23],
  [14, 30],
] as const;
const ASKING = [
  [9, 13],
  [11.5, 19],
  [14, 26],
] as const;
const CALM = [
  [9, 9],
  [11.5, 15],
  [14, 22],
] as const;
/** A unit that is off shift stands back. */
const OFF_SHIFT = 0.35;
/** Of web mercator. */
const EQUATOR_M = 40_075_017;
/** How many of the latest moments of drawing are kept for measuring. */
const KEPT = 20_000;

function scale(one: Look): readonly (readonly [number, number])[] {
  if (one === "late") return LATE;
  return one === "returned" || one === "unclaimed" ? ASKING : CALM;
}

/** Beyond this many cases the calm ones shrink, down to half, so that the pressing ones still stand out. */
const CROWDED = 1200;
/** From this zoom on there is room for all. */
const ROOM_FROM = 12.5;

/** Size of a look's sign in CSS pixels, at a zoom and with so many cases on the map. */
export function sizeOf(one: Look, zoom: number, cases: number): number {
  const stops = scale(one);
  const size = between(stops, zoom);
  if (stops !== CALM || cases <= CROWDED) return size;
  const tight = Math.max(0.5, Math.sqrt(CROWDED / cases));
  return (
    size *
    between(
      [
        [10.5, tight],
        [ROOM_FROM, 1],
      ],
      zoom,
    )
  );
}

export class Overlay {
  readonly crowd = new Crowd();
  private readonly sprites = new Sprites();
  private readonly hidden = new Set<string>();
  private readonly moments = new Map<string, number>();
  private units: readonly Standing[] = [];
  private chosen: Spot | null = null;
  /** How exactly its place is known, as a share of the world's width. */
  private reach = 0;
  private comesFrom: Spot | null = null;
  private way: readonly Spot[] = [];
  private pairs: readonly PairLine[] = [];
  private coming: string[] = [];
  private frame = 0;
  private shown = "";

  constructor(
    private readonly map: MapLibre,
    private readonly canvas: HTMLCanvasElement,
  ) {
    // Drawn within the map's own frame, so that the two never come apart while it moves.
    map.on("render", () => {
      if (this.viewKey() !== this.shown) this.paint();
    });
    map.on("resize", () => this.soon());
  }

  updateCases(...given: Parameters<Crowd["update"]>): void {
    const { came, went } = this.crowd.update(...given);
    if (came.length === 0 && !went) return;
    this.coming.push(...came);
    this.soon();
  }

  showUnits(units: Iterable<Unit>): void {
    this.units = inRows(units);
    this.soon();
  }

  /** Ring the case, and draw a straight dashed line from its unit, until `showWay` says how it gets there. */
  select(c: Case | null, unit: Unit | undefined): void {
    this.chosen = c && spot(c.lon, c.lat);
    this.reach = c ? c.accuracy_m / (EQUATOR_M * Math.cos((c.lat * Math.PI) / 180)) : 0;
    this.comesFrom = c && unit && unit.case === c.case ? spot(unit.lon, unit.lat) : null;
    this.soon();
  }

  /** The way of the chosen case's unit (longitude, latitude); empty: only that it comes from there. */
  showWay(line: readonly (readonly [number, number])[]): void {
    this.way = line.map(([lon, lat]) => spot(lon, lat));
    this.soon();
  }

  /** A plan's pairs; empty: none. */
  showPairs(pairs: readonly PairLine[]): void {
    this.pairs = pairs;
    this.soon();
  }

  show(what: string, on: boolean): void {
    if (on) this.hidden.delete(what);
    else this.hidden.add(what);
    this.soon();
  }

  caseAt(x: number, y: number): string | null {
    if (this.hidden.has("cases")) return null;
    const zoom = this.map.getZoom();
    return this.crowd.hit(this.view(), x, y, (one) => sizeOf(one, zoom, this.crowd.size));
  }

  /** Milliseconds since the epoch at which a case was first on the screen. */
  shownAt(id: string): number | undefined {
    return this.moments.get(id);
  }

  private soon(): void {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  private view(): View {
    const { lng, lat } = this.map.getCenter();
    const { clientWidth, clientHeight } = this.canvas;
    return viewAt(lng, lat, this.map.getZoom(), clientWidth, clientHeight);
  }

  private viewKey(): string {
    const { centre, world, width, height } = this.view();
    return `${centre.x},${centre.y},${world},${width},${height}`;
  }

  private paint(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const view = this.view();
    const dense = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(view.width * dense), Math.round(view.height * dense)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
    }
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const zoom = this.map.getZoom();
    paintPairs(pen, view, dense, this.pairs, (name) => this.sprites.colour(name));
    this.paintLine(pen, view, dense);
    if (!this.hidden.has("units") && zoom >= UNITS_FROM) this.paintUnits(pen, view, dense, zoom);
    if (!this.hidden.has("cases")) this.paintCases(pen, view, dense, zoom);
    this.paintRing(pen, view, dense, zoom);
    this.shown = this.viewKey();
    this.note();
  }

  private paintCases(pen: CanvasRenderingContext2D, view: View, dense: number, zoom: number): void {
    for (let i = LOOKS.length - 1; i >= 0; i--) {
      const one = LOOKS[i];
      if (!one) continue;
      const picture = this.sprites.ofCase(one, Math.round(sizeOf(one, zoom, this.crowd.size) * dense));
      this.stamp(pen, picture, view, dense, this.crowd.of(one).values());
    }
  }

  private paintUnits(pen: CanvasRenderingContext2D, view: View, dense: number, zoom: number): void {
    const size = between(UNIT_SIZES, zoom);
    pen.strokeStyle = this.sprites.colour("ink");
    pen.lineWidth = 1.4 * dense;
    for (const { at, sign, place, live, onShift } of this.units) {
      const picture = this.sprites.ofUnit(sign, Math.round(size * dense));
      const x = (left(view, at) + place * size * STEP) * dense;
      const y = top(view, at) * dense;
      if (x < -size * dense || y < -size * dense || x > this.canvas.width + size * dense) continue;
      pen.globalAlpha = onShift ? 1 : OFF_SHIFT;
      pen.drawImage(picture, Math.round(x - picture.width / 2), Math.round(y - picture.height / 2));
      if (live) {
        // It is there itself: one at its base has no ring.
        pen.beginPath();
        pen.arc(x, y, (size * dense) / 1.7, 0, 2 * Math.PI);
        pen.stroke();
      }
      pen.globalAlpha = 1;
    }
  }

  private stamp(
    pen: CanvasRenderingContext2D,
    picture: HTMLCanvasElement,
    view: View,
    dense: number,
    spots: Iterable<Spot>,
  ): void {
    const half = picture.width / 2;
    const [wide, high] = [this.canvas.width + half, this.canvas.height + half];
    for (const at of spots) {
      const x = left(view, at) * dense;
      const y = top(view, at) * dense;
      if (x < -half || y < -half || x > wide || y > high) continue;
      pen.drawImage(picture, Math.round(x - half), Math.round(y - half));
    }
  }

  private paintLine(pen: CanvasRenderingContext2D, view: View, dense: number): void {
    if (!this.chosen || !this.comesFrom) return;
    const path = new Path2D();
    const known = this.way.length > 1;
    for (const at of known ? this.way : [this.comesFrom, this.chosen]) {
      path.lineTo(left(view, at) * dense, top(view, at) * dense);
    }
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.setLineDash([]);
    pen.strokeStyle = this.sprites.colour("bg");
    pen.lineWidth = 6 * dense;
    pen.stroke(path);
    if (!known) pen.setLineDash([7 * dense, 5 * dense]);
    pen.strokeStyle = this.sprites.colour("focus");
    pen.lineWidth = 2.4 * dense;
    pen.stroke(path);
    pen.setLineDash([]);
  }

  private paintRing(pen: CanvasRenderingContext2D, view: View, dense: number, zoom: number): void {
    if (!this.chosen) return;
    const reach = this.reach * view.world * dense;
    if (reach > 4 * dense) {
      pen.beginPath();
      pen.arc(left(view, this.chosen) * dense, top(view, this.chosen) * dense, reach, 0, 2 * Math.PI);
      pen.fillStyle = pen.strokeStyle = this.sprites.colour("focus");
      pen.globalAlpha = 0.14;
      pen.fill();
      pen.globalAlpha = 1;
      pen.lineWidth = 1.2 * dense;
      pen.stroke();
    }
    pen.beginPath();
    const radius = (between(LATE, zoom) / 2 + 6) * dense;
    pen.arc(left(view, this.chosen) * dense, top(view, this.chosen) * dense, radius, 0, 2 * Math.PI);
    pen.strokeStyle = this.sprites.colour("focus");
    pen.lineWidth = 2.5 * dense;
    pen.stroke();
  }

  /** Noted in the frame after: by then this one has been handed to the screen. */
  private note(): void {
    if (this.coming.length === 0) return;
    const came = this.coming;
    this.coming = [];
    requestAnimationFrame(() => {
      const now = performance.timeOrigin + performance.now();
      for (const id of came) if (!this.moments.has(id)) this.moments.set(id, now);
      for (const oldest of this.moments.keys()) {
        if (this.moments.size <= KEPT) break;
        this.moments.delete(oldest);
      }
    });
  }
}
