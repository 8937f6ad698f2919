export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Round by round: how often the second goes into the first. */
export const ratios = (first, second) => first.map((value, round) => value / second[round]);

/** Round by round: how much more the first is. */
export const difference = (first, second) => first.map((value, round) => value - second[round]);

/** A figure in two or three digits, with what it counts: `1,170 µs`. */
export function figure(value, unit = '') {
  if (value !== 0 && Math.abs(value) < 0.1) return value.toPrecision(2) + unit;
  const digits = Math.abs(value) >= 100 || value === 0 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }) + unit;
}

/** `median (min to max)`. */
export function spread(values, unit = '') {
  return `${figure(median(values), unit)} (${figure(Math.min(...values))} to ${figure(Math.max(...values))})`;
}

export const micros = (nanoseconds) =>
  spread(
    nanoseconds.map((value) => value / 1e3),
    ' µs',
  );

/** A/A pairs are off by more than this: the ratios beside them say nothing. */
const NOISE = 0.1;

/** How far apart the two names of one case are: 1 is not at all. */
export function twinRatio(twins) {
  const off = twins.map((values) => median(values)).map((ratio) => Math.max(ratio, 1 / ratio));
  return Math.max(...off);
}

/**
 * @param goal `{ atLeast?, atMost?, stretch?, values, twins?, doubt? }`: `twins` are the A/A ratios of the same rounds (a
 *   figure that no clock takes part in has none), `doubt` another reason why the figure says nothing
 */
export function verdict({ atLeast, atMost, stretch, values, twins = [], doubt = null }) {
  if (doubt !== null) return `unresolved (${doubt})`;
  if (twins.length > 0 && twinRatio(twins) > 1 + NOISE) return `unresolved (A/A ${figure(twinRatio(twins), 'x')})`;
  const value = median(values);
  const isMet = (limit) => (atLeast === undefined ? value <= limit : value >= limit);
  const limit = atLeast ?? atMost;
  if (isMet(limit)) return stretch !== undefined && isMet(stretch) ? 'met, and the stretch' : 'met';
  const off = atLeast === undefined ? value / limit - 1 : 1 - value / limit;
  return limit === 0 ? `missed by ${figure(value)}` : `missed by ${Math.max(1, Math.round(off * 100))}%`;
}
