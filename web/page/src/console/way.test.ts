import { expect, test } from "vitest";
import type { Case, Unit, Way } from "../shared/types";
import { type Line, WayReader } from "./way";

const a = { case: "1", lon: 118.9, lat: 31.3 } as Case;
const b = { case: "2", lon: 118.8, lat: 31.2 } as Case;
const unit = (on: string, lon = 118.9) => ({ code: "U", case: on, lon, lat: 31.33 }) as Unit;

/** A server that answers when it is told to. */
function server() {
  const asked: string[] = [];
  const answer: ((coordinates: Line | null) => void)[] = [];
  const refuse: (() => void)[] = [];
  const way = (id: string): Promise<Way> =>
    new Promise((resolve, reject) => {
      asked.push(id);
      answer.push((coordinates) =>
        resolve({ geometry: coordinates && { type: "LineString", coordinates } } as unknown as Way),
      );
      refuse.push(() => reject(new Error("no")));
    });
  return { asked, answer, refuse, way };
}

test("a way is asked for once, and again when its unit has moved", async () => {
  const there = server();
  const shown: Line[] = [];
  const reader = new WayReader(there, (line) => shown.push(line));
  const first = reader.choose(a, unit("1"));
  await reader.choose(a, unit("1"));
  expect(there.asked).toEqual(["1"]);
  there.answer[0]?.([[1, 2]]);
  await first;
  expect(shown).toEqual([[], [[1, 2]]]);
  const second = reader.choose(a, unit("1", 118.91));
  expect(shown).toHaveLength(2);
  there.answer[1]?.(null);
  await second;
  expect(shown).toEqual([[], [[1, 2]], []]);
});

test("what comes late for another case is not shown", async () => {
  const there = server();
  const shown: Line[] = [];
  const reader = new WayReader(there, (line) => shown.push(line));
  const first = reader.choose(a, unit("1"));
  const second = reader.choose(b, unit("2"));
  there.answer[1]?.([[3, 4]]);
  await second;
  there.answer[0]?.([[1, 2]]);
  await first;
  expect(shown).toEqual([[], [], [[3, 4]]]);
});

test("nothing is asked where no unit comes, and a refusal is asked again", async () => {
  const there = server();
  const shown: Line[] = [];
  const reader = new WayReader(there, (line) => shown.push(line));
  await reader.choose(a, unit("2"));
  await reader.choose(null, undefined);
  expect(there.asked).toEqual([]);
  const first = reader.choose(a, unit("1"));
  there.refuse[0]?.();
  await first;
  void reader.choose(a, unit("1"));
  expect(there.asked).toEqual(["1", "1"]);
});
