const DAY = 86_400_000;
/** How many days daily counts are kept, today included. */
const DAYS_KEPT = 90;

/** The day of a time, in UTC: days since 1970-01-01. */
export function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / DAY);
}

/** `2026-01-31`. */
export function dayText(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** The first day whose counts are kept. */
export function firstKept(today: number): number {
  return today - DAYS_KEPT + 1;
}
