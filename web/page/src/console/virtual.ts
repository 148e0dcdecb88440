/** Which rows of a long list are worth drawing. Heights in CSS pixels. */

export interface Window {
  first: number;
  /** One past the last. */
  end: number;
}

export function rowsInView(count: number, rowHeight: number, top: number, height: number, spare = 6): Window {
  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const end = Math.min(count, Math.ceil((top + height) / rowHeight) + spare);
  return { first: Math.min(first, end), end };
}

/** The scroll position that brings a row into view with least movement. */
export function scrollTo(row: number, rowHeight: number, top: number, height: number): number {
  const from = row * rowHeight;
  if (from < top) return from;
  if (from + rowHeight > top + height) return from + rowHeight - height;
  return top;
}
