import { useRef, useState } from 'preact/hooks';
import type { IssuedToken } from '../../../wire/types.js';
import { base } from '../api.js';
import { t, tx } from '../i18n.js';
import { Button } from '../parts/button.js';
import { CopyRow, copy } from '../parts/copy.js';
import { type Close, Dialog } from '../parts/dialog.js';
import { Tabs } from '../parts/tabs.js';
import { Foreign } from '../parts/text.js';

interface SecretProps {
  readonly close: Close;
  readonly title: string;
  readonly token: IssuedToken;
  readonly done: () => void;
}

/** Shows a token's secret, this once. The dialog closes after a copy, or at the second attempt. */
export function Secret({ close, title, token, done }: SecretProps) {
  const copied = useRef(false);
  const warned = useRef(false);
  const [said, say] = useState('');
  const [warning, setWarning] = useState('');
  const grants = Object.values(token.types);
  const manages = grants.some((grant) => 'scopes' in grant);
  const calls = grants.some((grant) => 'endpoints' in grant);
  // Without the token: what stands on a command line, others can read.
  const login = `postern login --api-token --endpoint ${new URL('.', base).href.replace(/\/$/, '')}`;

  function onCopied(isDone: boolean): void {
    say(t(isDone ? 'app.copied' : 'app.copyFailed'));
    setWarning('');
  }

  function mayClose(): boolean {
    if (copied.current || warned.current) return true;
    warned.current = true;
    setWarning(t('secret.notCopied'));
    return false;
  }

  function end(): void {
    close();
    done();
  }

  return (
    <Dialog title={title} wide close={end} mayClose={mayClose} unsaved={() => !copied.current}>
      <div class="dialog-body">
        <p>{tx('secret.lead', { name: <Foreign text={token.name} /> })}</p>
        <CopyRow
          label={t('secret.token')}
          text={token.token}
          action={t('secret.copy')}
          first
          onCopied={(isDone) => {
            if (isDone) copied.current = true;
            onCopied(isDone);
          }}
        />
        <p class="said" role="status">
          {said}
        </p>
        {manages && (
          <>
            <CopyRow label={t('secret.login')} text={login} action={t('secret.copyCommand')} onCopied={onCopied} />
            <p class="hint">{t('secret.asks')}</p>
          </>
        )}
        {calls && <Snippets onCopied={onCopied} />}
      </div>
      <footer class="dialog-foot">
        <div class="problem" role="alert">
          {warning !== '' && <p>{warning}</p>}
        </div>
        <div class="buttons">
          <Button
            kind="primary"
            onClick={() => {
              if (mayClose()) end();
            }}
          >
            {t('secret.done')}
          </Button>
        </div>
      </footer>
    </Dialog>
  );
}

const SNIPPETS = {
  curl: `printf 'Authorization: Bearer %s' "$TOKEN" |
  curl --header @- https://your-service.example/`,
  TypeScript: `await fetch('https://your-service.example/', {
  headers: { authorization: \`Bearer \${process.env.TOKEN}\` },
});`,
  Python: `import os, urllib.request

request = urllib.request.Request("https://your-service.example/")
request.add_header("Authorization", f"Bearer {os.environ['TOKEN']}")
urllib.request.urlopen(request)`,
  gRPC: `import grpc, os

token = grpc.access_token_call_credentials(os.environ["TOKEN"])
channel = grpc.secure_channel(
    "your-service.example:443",
    grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), token),
)`,
} as const;

type Snippet = keyof typeof SNIPPETS;
const NAMES = Object.keys(SNIPPETS) as Snippet[];

/** Lines to start from. None of them holds the token. */
function Snippets({ onCopied }: { readonly onCopied: (done: boolean) => void }) {
  const [chosen, choose] = useState<Snippet>('curl');
  const code = useRef<HTMLPreElement>(null);
  return (
    <div class="snippets">
      <p class="label">{t('secret.use')}</p>
      <p class="hint">{t('secret.environment')}</p>
      <Tabs label={t('secret.use')} items={NAMES.map((name) => [name, name])} selected={chosen} onSelect={choose}>
        <div class="snippet">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and so must be reached by keyboard */}
          <pre ref={code} tabIndex={0}>
            <code>{SNIPPETS[chosen]}</code>
          </pre>
          <Button
            label={t('app.copyThis', { what: chosen })}
            onClick={() => void copy(SNIPPETS[chosen], code.current).then(onCopied)}
          >
            {t('app.copy')}
          </Button>
        </div>
      </Tabs>
    </div>
  );
}
