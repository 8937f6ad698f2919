import { t } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Filter } from '../parts/fields.js';
import { labelOf } from './grants.js';
import { TOKEN_STATES, type TokenState } from './state.js';
import type { Ends, Sort, View } from './view.js';

export interface FiltersProps {
  readonly view: View;
  readonly change: (changes: Partial<View>) => void;
}

/** The filters of the list of tokens, and its order. */
export function Filters({ view, change }: FiltersProps) {
  const { session } = usePage();
  return (
    <div class="filters">
      <Filter<TokenState | ''>
        label={t('tokens.status')}
        value={view.state}
        options={[['', t('tokens.anyStatus')], ...TOKEN_STATES.map((state) => [state, t(`status.${state}`)] as const)]}
        onChange={(state) => change({ state })}
      />
      <Filter
        label={t('tokens.type')}
        value={view.type}
        options={[['', t('tokens.anyType')], ...session.types.map((type) => [type.name, labelOf(type)] as const)]}
        onChange={(type) => change({ type })}
      />
      {view.tab === 'personal' && session.can.listTokens && session.owner !== null && (
        <Filter<View['owner']>
          label={t('tokens.owner')}
          value={view.owner}
          options={[
            ['mine', t('tokens.mine')],
            ['everyone', t('tokens.everyone')],
          ]}
          onChange={(owner) => change({ owner })}
        />
      )}
      <Filter<Ends>
        label={t('tokens.ends')}
        value={view.ends}
        options={[
          ['', t('tokens.anyEnd')],
          ['7', t('tokens.within7')],
          ['30', t('tokens.within30')],
          ['never', t('tokens.noEnd')],
        ]}
        onChange={(ends) => change({ ends })}
      />
      <Filter<Sort>
        label={t('tokens.sort')}
        value={view.sort}
        options={(['created', 'name', 'ends', 'used', 'unused'] as const).map((sort) => [
          sort,
          t(`tokens.sort.${sort}`),
        ])}
        onChange={(sort) => change({ sort })}
      />
    </div>
  );
}
