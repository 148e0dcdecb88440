/** One live stream for all of the page that listens, open while somebody does and the page is looked at. */

import { type Link, Live, type LiveOptions } from "../shared/events";
import type { CaseEvent } from "../shared/types";

export interface Ear {
  onEvent(event: CaseEvent): void;
  /** Too much was missed: load the lists again. */
  onReset(): void;
  onLink(link: Link): void;
}

export class Line {
  private readonly ears = new Set<Ear>();
  private readonly stream: Live;
  private link: Link = "connecting";

  constructor(options: Pick<LiveOptions, "url" | "open">) {
    this.stream = new Live({
      ...options,
      onEvent: (event) => this.tell((ear) => ear.onEvent(event)),
      onReset: () => this.tell((ear) => ear.onReset()),
      onLink: (link) => {
        this.link = link;
        this.tell((ear) => ear.onLink(link));
      },
    });
  }

  /** Listen; the answer stops it. Who comes while the line is open is told so. */
  listen(ear: Ear): () => void {
    this.ears.add(ear);
    if (this.ears.size === 1) {
      document.addEventListener("visibilitychange", this.look);
      window.addEventListener("online", this.online);
      this.look();
    } else if (this.link === "open") ear.onLink("open");
    return () => {
      if (!this.ears.delete(ear) || this.ears.size > 0) return;
      this.stream.stop();
      this.link = "connecting";
      document.removeEventListener("visibilitychange", this.look);
      window.removeEventListener("online", this.online);
    };
  }

  // A phone in a pocket needs no stream.
  private readonly look = (): void => {
    if (document.visibilityState === "visible") this.stream.start();
    else this.stream.stop();
  };
  private readonly online = (): void => this.stream.restart();

  private tell(what: (ear: Ear) => void): void {
    for (const ear of [...this.ears]) what(ear);
  }
}

const lines = new Map<string, Line>();

/** The line of a server. */
export function lineOf(base: string): Line {
  const known = lines.get(base) ?? new Line({ url: `${base}/events` });
  lines.set(base, known);
  return known;
}
