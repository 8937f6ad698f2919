import type { AuditEntry } from '../../../wire/types.js';
import { Moment } from '../parts/text.js';
import { What, Who } from './change.js';
import { useNames } from './use-names.js';

/** The changes of one token, newest first. */
export function ChangeList({ entries }: { readonly entries: readonly AuditEntry[] }) {
  const names = useNames(entries);
  return (
    <ol class="history">
      {entries.map((entry) => (
        <li key={entry.id}>
          <What entry={entry} linked={false} />
          <p class="hint">
            <Moment at={entry.at} />
          </p>
          <div class="by">
            <Who entry={entry} names={names} />
          </div>
        </li>
      ))}
    </ol>
  );
}
