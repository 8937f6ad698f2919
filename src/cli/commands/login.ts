import { Command, Option } from 'commander';
import { readEndpoint } from '../backend/http-client.js';
import { validate } from '../backend/identity.js';
import { loadContexts, saveContext } from '../contexts.js';
import { usageError } from '../failure.js';
import { grantsOf } from '../grants.js';
import type { Host } from '../host.js';
import { loginInBrowser } from '../login/browser.js';
import { collect } from '../options.js';
import { note, say } from '../output/print.js';
import { assertToken, readToken } from '../secrets.js';
import { warnInTheClear } from '../target.js';

interface LoginOptions {
  readonly endpoint?: string;
  /** `true`: the option without a value. */
  readonly apiToken?: string | true;
  readonly apiTokenFile?: string;
  readonly context: string;
  readonly browser: boolean;
  readonly scope?: readonly string[];
  readonly types?: string;
}

export function login(host: Host): Command {
  return new Command('login')
    .description(
      'Log in to a server, and save its address and the token as a context. Without a token, you log in through the browser.',
    )
    .option('--endpoint <url>', "the server's address (or POSTERN_ENDPOINT, or the current context's)")
    .addOption(
      new Option(
        '--api-token [token]',
        'log in with this token; without a value you type it unseen; - reads stdin (or POSTERN_API_TOKEN)',
      ),
    )
    .addOption(new Option('--api-token-file <path>', 'log in with the token in this file').conflicts('apiToken'))
    .option('--context <name>', 'the name of the context', 'default')
    .option('--no-browser', 'do not open a browser: only print the address to open')
    .addOption(
      new Option(
        '--scope <scope>',
        'ask for this scope, such as models:write, in the browser; repeatable. Without any, you choose there',
      ).argParser(collect),
    )
    .addOption(
      new Option('--types <json>', 'ask for these grants, such as {"user":{"endpoints":["summarizer"]}}').conflicts(
        'scope',
      ),
    )
    .action((options: LoginOptions) => logIn(host, options));
}

async function logIn(host: Host, options: LoginOptions): Promise<void> {
  const endpoint = await endpointOf(host, options.endpoint);
  warnInTheClear(host, endpoint);
  const { browser: open, scope, types } = options;
  const asked = grantsOf({ scope, types });
  const token = (await givenToken(host, options)) ?? (await loginInBrowser(host, endpoint, { open, types: asked }));
  const { user, email, organization } = await validate(endpoint, token);
  await saveContext(host, { name: options.context, endpoint, api_token: token, email });
  say(host, `Successfully logged in as user "${user}" in organization "${organization}".`);
  if (host.env.POSTERN_API_TOKEN || host.env.POSTERN_ENDPOINT) {
    note(host, 'POSTERN_API_TOKEN and POSTERN_ENDPOINT take precedence over this login: unset them to use it.');
  }
}

async function endpointOf(host: Host, given: string | undefined): Promise<string> {
  const named = given ?? host.env.POSTERN_ENDPOINT;
  if (named) return readEndpoint(named);
  const { current, contexts } = await loadContexts(host);
  const context = contexts.find(({ name }) => name === current);
  if (context) return context.endpoint;
  throw usageError('there is no server to log in to. Name it with --endpoint https://…');
}

async function givenToken(host: Host, { apiToken, apiTokenFile }: LoginOptions): Promise<string | null> {
  if (apiTokenFile !== undefined) return readToken(host, { file: apiTokenFile, prompt: 'API token' });
  if (apiToken === '-') return readToken(host, { file: '-', prompt: 'API token' });
  if (apiToken === true) return readToken(host, { prompt: 'API token' });
  if (apiToken !== undefined) return assertToken(apiToken, '--api-token');
  const { POSTERN_API_TOKEN } = host.env;
  return POSTERN_API_TOKEN ? assertToken(POSTERN_API_TOKEN, 'POSTERN_API_TOKEN') : null;
}
