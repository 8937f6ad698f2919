import { useEffect, useState } from 'preact/hooks';
import type { AuditEntry } from '../../../wire/types.js';
import { readToken } from '../tokens/calls.js';
import type { Names } from './change.js';
import { nameIn } from './words.js';

/** The most tokens that are asked for by name. The others are shown by their ids. */
const MOST_ASKED = 20;
const asked = new Map<string, Promise<string | null>>();

/** The names of the tokens that changes were made with: from the changes themselves, or from the API. */
export function useNames(entries: readonly AuditEntry[]): Names {
  const [found, setFound] = useState<Names>(new Map());
  const known = new Map<string, string>();
  for (const entry of [...entries].reverse()) {
    const name = entry.type.startsWith('token.') ? nameIn(entry) : null;
    if (name !== null) known.set(entry.subject, name);
  }
  const actors = entries.map(({ actor }) => (actor.kind === 'principal' ? actor.token_id : null));
  const unknown = [...new Set(actors)].filter((id): id is string => id !== null && !known.has(id)).slice(0, MOST_ASKED);

  useEffect(() => {
    let isOver = false;
    for (const id of unknown) {
      void nameOf(id).then((name) => {
        if (name !== null && !isOver) setFound((before) => new Map(before).set(id, name));
      });
    }
    return () => {
      isOver = true;
    };
  }, [unknown.join()]);

  return new Map([...found, ...known]);
}

/** `null`: it is gone, or the caller may not see it. */
function nameOf(id: string): Promise<string | null> {
  const reading =
    asked.get(id) ??
    readToken(id, new AbortController().signal).then(
      ({ name }) => name,
      () => null,
    );
  asked.set(id, reading);
  return reading;
}
