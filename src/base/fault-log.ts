import { isPosternError } from '../domain/errors.js';
import { escapeInvisible, redact } from '../domain/text.js';
import { printError } from './runtime.js';

/** Milliseconds between two lines. */
const PAUSE = 1000;
const LONGEST = 300;
/** An error and what caused it, so many deep. */
const MAX_CAUSES = 3;

/** Tells of faults where the application doesn't listen: on `console.error`, at most one a second, without secrets. */
export class FaultLog {
  #last = Number.NEGATIVE_INFINITY;
  #skipped = 0;

  write(during: string, error: unknown, now: number): void {
    if (now - this.#last < PAUSE && now >= this.#last) {
      this.#skipped++;
      return;
    }
    const more = this.#skipped === 0 ? '' : ` (${this.#skipped} more since the last)`;
    this.#last = now;
    this.#skipped = 0;
    printError(`postern: a fault (${during})${more}: ${told(error)} (Give createPostern an onEvent to hear of each.)`);
  }
}

function told(error: unknown): string {
  const texts: string[] = [];
  for (let each = error; each instanceof Error && texts.length < MAX_CAUSES; each = each.cause) {
    texts.push(`${each.name}${isPosternError(each) ? ` ${each.code}` : ''}: ${each.message}`);
  }
  if (texts.length === 0) return 'what was thrown is no Error';
  return escapeInvisible(withoutSecrets(texts.join(' < '))).slice(0, LONGEST);
}

/** Whoever wrote an error may have put into it what came with a request, in whatever form. */
function withoutSecrets(text: string): string {
  return redact(text)
    .replace(/\b(bearer|basic|dpop)\s+\S+/gi, '$1 …')
    .replace(/[A-Za-z0-9+=_-]{32,}/g, '…');
}
