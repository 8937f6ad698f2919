import { isPosternError } from '../domain/errors.js';
import { escapeInvisible, redact } from '../domain/text.js';
import { printError } from './runtime.js';

/** Milliseconds between two lines, at least. */
const PAUSE = 1000;
const LONGEST = 300;
/** How deep the chain of causes is followed, the error itself included. */
const MAX_CAUSES = 3;

/** Reports faults if the application has no listener: on `console.error`, at most one a second, without secrets. */
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
  if (texts.length === 0) return 'the thrown value is not an Error';
  return escapeInvisible(withoutSecrets(texts.join(' < '))).slice(0, LONGEST);
}

/** An error's text may hold anything that came with a request. */
function withoutSecrets(text: string): string {
  return redact(text)
    .replace(/\b(bearer|basic|dpop)\s+\S+/gi, '$1 …')
    .replace(/[A-Za-z0-9+=_-]{32,}/g, '…');
}
