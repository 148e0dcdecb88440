/** The live stream of `GET /api/events`: resumed where it broke, each event told once, a reset passed on. */

import type { CaseEvent, UnitPosition } from "./types";

export type Link = "connecting" | "open" | "lost";

/** What is used of a browser's EventSource. */
export interface StreamLike {
  readonly readyState: number;
  addEventListener(type: string, tell: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface LiveOptions {
  url: string;
  onEvent(event: CaseEvent): void;
  /** Units that stand elsewhere now; at the beginning, and when it was missed, all that are not at their base. */
  onPositions?(positions: UnitPosition[]): void;
  /** Which edition of the district's data holds, at every connect and whenever another comes into force. */
  onEdition?(version: string): void;
  /** Too much was missed: load the lists again. */
  onReset(): void;
  onLink(link: Link): void;
  open?: (url: string) => StreamLike;
  /** Milliseconds before the nth attempt to open again, when the browser has given up by itself. */
  wait?: (attempt: number) => number;
}

/** EventSource.CLOSED: the browser will not try again by itself. */
const CLOSED = 2;

/** Remembers the last `size` event numbers: the stream may tell an event again after a reconnect. */
export class Seen {
  private readonly numbers = new Set<number>();

  constructor(private readonly size = 20_000) {}

  /** True the first time. */
  add(event: number): boolean {
    if (this.numbers.has(event)) return false;
    this.numbers.add(event);
    if (this.numbers.size > this.size) {
      for (const oldest of this.numbers) {
        this.numbers.delete(oldest);
        break;
      }
    }
    return true;
  }
}

const backoff = (attempt: number): number => Math.min(15_000, 500 * 2 ** attempt);

/** One open stream. While it only stutters the browser resumes it with `Last-Event-ID`; when it gives up, we do, with `?after=`. */
export class Live {
  private readonly seen = new Seen();
  private stream: StreamLike | null = null;
  private last = "";
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private link: Link = "connecting";

  constructor(private readonly options: LiveOptions) {}

  start(): void {
    this.stop();
    const { url } = this.options;
    const resumed = this.last ? `${url}${url.includes("?") ? "&" : "?"}after=${encodeURIComponent(this.last)}` : url;
    const stream = (this.options.open ?? ((address) => new EventSource(address)))(resumed);
    this.stream = stream;
    stream.addEventListener("open", () => {
      this.attempt = 0;
      this.tell("open");
    });
    stream.addEventListener("error", () => {
      this.tell("lost");
      if (stream.readyState === CLOSED && this.stream === stream) this.again();
    });
    stream.addEventListener("case", (message) => {
      if (message.lastEventId) this.last = message.lastEventId;
      const event = JSON.parse(message.data) as CaseEvent;
      if (this.seen.add(event.event)) this.options.onEvent(event);
    });
    stream.addEventListener("positions", (message) => {
      this.options.onPositions?.((JSON.parse(message.data) as { positions: UnitPosition[] }).positions);
    });
    for (const kind of ["hello", "edition"]) {
      stream.addEventListener(kind, (message) => this.edition(message));
    }
    stream.addEventListener("reset", (message) => {
      if (message.lastEventId) this.last = message.lastEventId;
      this.edition(message);
      this.options.onReset();
    });
  }

  /** Open again at once, resuming: the network has come back, or the stream has gone quiet. */
  restart(): void {
    this.tell("lost");
    this.attempt = 0;
    this.start();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.stream?.close();
    this.stream = null;
  }

  private edition(message: MessageEvent<string>): void {
    const { version } = JSON.parse(message.data) as { version?: string };
    if (version) this.options.onEdition?.(version);
  }

  private again(): void {
    const wait = (this.options.wait ?? backoff)(this.attempt++);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.start(), wait);
  }

  private tell(link: Link): void {
    if (link === this.link) return;
    this.link = link;
    this.options.onLink(link);
  }
}
