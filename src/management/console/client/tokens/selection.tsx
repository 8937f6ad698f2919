import type { Token } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { Button } from '../parts/button.js';
import { openDialog } from '../parts/dialog.js';
import { RevokeMany } from './actions.js';

interface SelectionProps {
  readonly tokens: readonly Token[];
  readonly clear: () => void;
  readonly revoked: () => void;
}

/** The selected tokens, and what can be done with all of them. */
export function Selection({ tokens, clear, revoked }: SelectionProps) {
  return (
    <div class="selection" role="status">
      <p>{t('tokens.selected', { count: tokens.length })}</p>
      <Button
        kind="danger-plain"
        onClick={() => openDialog((close) => <RevokeMany close={close} tokens={tokens} revoked={revoked} />)}
      >
        {t('tokens.revokeSelected')}
      </Button>
      <Button kind="plain" onClick={clear}>
        {t('tokens.unselect')}
      </Button>
    </div>
  );
}
