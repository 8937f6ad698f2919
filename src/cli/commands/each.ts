import { escapeInvisible } from '../../domain/text.js';
import { cancelled, usageError } from '../failure.js';
import type { Host } from '../host.js';
import { progress } from '../output/print.js';
import { askConfirmation } from '../prompts.js';

/** Does the same to several items, one after the other, and shows the progress. */
export async function eachOf<Item>(
  host: Host,
  items: readonly Item[],
  doing: string,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const line = progress(host);
  try {
    for (const [index, item] of items.entries()) {
      if (items.length > 1) line.show(`${doing} ${index + 1} of ${items.length} …`);
      await work(item);
      line.end();
    }
  } finally {
    line.end();
  }
}

/**
 * Refuses, before anything is read, if a confirmation is needed and nobody can be asked.
 *
 * @throws CliError (usage)
 */
export function assertCanConfirm(host: Host, yes: boolean): void {
  if (yes || (host.stdin.isTTY && host.stderr.isTTY)) return;
  throw usageError('deleting needs a confirmation, and there is nobody to ask. Give --yes');
}

/** @throws the error of {@link cancelled} if the answer is no */
export async function confirmed(host: Host, yes: boolean, names: readonly string[], what: string): Promise<void> {
  if (yes) return;
  const all = names.map(escapeInvisible).join(', ');
  const message = names.length === 1 ? `Delete ${what} ${all}?` : `Delete these ${names.length} ${what}s: ${all}?`;
  if (!(await askConfirmation(host, message))) throw cancelled('Nothing was deleted.');
}
