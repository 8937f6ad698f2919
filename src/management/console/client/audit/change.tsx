import { escapeInvisible } from '../../../../domain/text.js';
import type { AuditEntry } from '../../../wire/types.js';
import { t, tx } from '../i18n.js';
import { Link, usePage } from '../page-context.js';
import { Facts } from '../parts/page.js';
import { Foreign, Hidden, Quiet } from '../parts/text.js';
import { titled } from '../words.js';
import { changesOf, grantedBy, messageOf, nameIn } from './words.js';

/** Id of a token → its name, as far as it is known. */
export type Names = ReadonlyMap<string, string>;

interface ChangeProps {
  readonly entry: AuditEntry;
}

/** What was changed, and what was granted. */
export function What({ entry, linked = true }: ChangeProps & { readonly linked?: boolean }) {
  const { session } = usePage();
  const name = nameIn(entry);
  const isToken = entry.type.startsWith('token.');
  const shown = (
    <strong>
      <Foreign text={name ?? entry.subject} />
    </strong>
  );
  const isThere = isToken && !/\.(deleted|pruned)$/.test(entry.type);
  const to = isThere ? `api_tokens/${entry.subject}` : `audit?subject=${encodeURIComponent(entry.subject)}`;
  const changes = changesOf(entry, session);
  const granted = grantedBy(entry, session);
  return (
    <>
      <p>
        {tx(messageOf(entry.type), {
          type: titled(entry.type.replace('.', ' ')),
          name: linked ? <Link to={to}>{shown}</Link> : shown,
        })}
      </p>
      {linked && name !== null && <code class="hint">{entry.subject}</code>}
      {changes.length > 0 && (
        <details>
          <summary>{t('audit.changed')}</summary>
          <Facts
            facts={changes.map(({ label, before, after }) => ({
              label,
              value: (
                <>
                  {before !== null && (
                    <del>
                      <Hidden>{t('audit.before')}</Hidden>
                      <Foreign text={before} />
                    </del>
                  )}
                  {after !== null && (
                    <ins>
                      <Hidden>{t('audit.after')}</Hidden>
                      <Foreign text={after} />
                    </ins>
                  )}
                </>
              ),
            }))}
          />
        </details>
      )}
      {granted.length > 0 && (
        <details>
          <summary>{t('audit.granted')}</summary>
          <ul class="names">
            {granted.map((line) => (
              <li key={line}>{escapeInvisible(line)}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** Who changed it: the person, and the token that they used. */
export function Who({ entry: { actor }, names }: ChangeProps & { readonly names: Names }) {
  if (actor.kind === 'application') return <>{t('audit.application')}</>;
  const name = actor.token_id === null ? undefined : names.get(actor.token_id);
  return (
    <>
      {actor.owner ? <Foreign text={actor.owner} /> : <Quiet>{t('audit.nameless')}</Quiet>}
      {actor.token_id !== null && (
        <span class="hint">
          {tx('audit.with', { token: name === undefined ? <code>{actor.token_id}</code> : <Foreign text={name} /> })}
          {name !== undefined && <code class="hint">{actor.token_id}</code>}
        </span>
      )}
    </>
  );
}
