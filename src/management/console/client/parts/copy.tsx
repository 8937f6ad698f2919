import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n.js';
import { Button } from './button.js';

/** Copies a text. Without HTTPS or the person's permission there is no clipboard: then it selects the text of `source`. */
export async function copy(text: string, source: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (source instanceof HTMLInputElement) source.select();
    else if (source !== null) getSelection()?.selectAllChildren(source);
    return false;
  }
}

interface CopyRowProps {
  readonly label: string;
  readonly text: string;
  readonly action: string;
  /** Whether its button has the focus when the dialog opens. */
  readonly first?: boolean;
  readonly onCopied: (done: boolean) => void;
}

/** A text of one line with its button. */
export function CopyRow({ label, text, action, first, onCopied }: CopyRowProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class="copy">
      <p class="label" aria-hidden="true">
        {label}
      </p>
      <div class="copy-row">
        <input
          class="mono"
          readOnly
          value={text}
          aria-label={label}
          ref={input}
          onFocus={() => input.current?.select()}
        />
        <Button first={first} onClick={() => void copy(text, input.current).then(onCopied)}>
          {action}
        </Button>
      </div>
    </div>
  );
}

/** A short value with a small button. */
export function CopyValue({ what, text }: { readonly what: string; readonly text: string }) {
  const code = useRef<HTMLElement>(null);
  const [said, say] = useState('');
  return (
    <span class="copy-value">
      <code ref={code}>{text}</code>
      <Button
        kind="link"
        label={t('app.copyThis', { what })}
        onClick={() => void copy(text, code.current).then((done) => say(t(done ? 'app.copied' : 'app.copyFailed')))}
      >
        {t('app.copy')}
      </Button>
      <span class="quiet" role="status">
        {said}
      </span>
    </span>
  );
}
