import type { Host } from '../host.js';
import { progress } from './print.js';
import { relative } from './words.js';

/** Milliseconds between two shows. */
const PAUSE = 200;

/**
 * The progress of reading a file on one line: rows, rows a second, and the end. Nothing without a terminal.
 *
 * @param size of the file in bytes; `null`: unknown
 */
export function rateOf(host: Host, size: number | null) {
  const line = progress(host);
  const begun = host.clock();
  let shown = begun;
  let read = 0;
  return {
    /** The same parts of the file. */
    async *counted(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array | string, void> {
      for await (const chunk of chunks) {
        read += chunk.length;
        yield chunk;
      }
    },
    show(rows: number): void {
      const now = host.clock();
      if (now - shown < PAUSE) return;
      shown = now;
      const perSecond = Math.round((rows * 1000) / (now - begun));
      const left = size === null || read === 0 ? null : ((now - begun) * (size - read)) / read;
      const end = left === null ? '' : `, done ${relative(new Date(now + left).toISOString(), now)}`;
      line.show(`${inDigits(rows)} rows, ${inDigits(perSecond)} rows/s${end} …`);
    },
    end: line.end,
  };
}

function inDigits(count: number): string {
  return count.toLocaleString('en');
}
