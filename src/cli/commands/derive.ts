import { Command, Option } from 'commander';
import type { Duration } from '../../domain/duration.js';
import { quote } from '../../domain/text.js';
import { derive as deriveToken } from '../../jwt/derive.js';
import { loadContexts } from '../contexts.js';
import type { Host } from '../host.js';
import { collect, durationArgument, outputOption, tokenFileOption } from '../options.js';
import { type Format, note, print } from '../output/print.js';
import { environmentToken, type KnownToken, readToken } from '../secrets.js';
import { withoutTokenArgument } from './token-argument.js';

interface DeriveCommandOptions {
  readonly scope?: readonly string[];
  readonly endpoint?: readonly string[];
  readonly allEndpoints?: boolean;
  readonly method?: readonly string[];
  readonly expiresIn: string;
  readonly tokenFile?: string;
  readonly output: Format;
}

export function derive(host: Host): Command {
  return withoutTokenArgument(new Command('derive'), ' --token-file -')
    .description(
      'Make a narrower, short-lived token from an API token, offline. The API token comes from --token-file, POSTERN_API_TOKEN, the context, a pipe or a prompt.',
    )
    .addOption(new Option('--scope <scope>', 'a scope that it keeps; repeatable').argParser(collect))
    .addOption(new Option('--endpoint <id>', 'an endpoint that it keeps; repeatable').argParser(collect))
    .addOption(new Option('--all-endpoints', 'it keeps all endpoints of the API token').conflicts('endpoint'))
    .addOption(new Option('--method <method>', 'a method that it allows, such as GET; repeatable').argParser(collect))
    .addOption(
      new Option('--expires-in <duration>', 'its life; it also ends with the API token')
        .argParser(durationArgument)
        .default('5m'),
    )
    .addOption(tokenFileOption())
    .addOption(outputOption())
    .action(async (options: DeriveCommandOptions) => {
      const parent = await readToken(host, {
        file: options.tokenFile,
        known: environmentToken(host) ?? (await savedToken(host)),
        prompt: 'API token to derive from',
      });
      const endpoints = options.allEndpoints ? '*' : options.endpoint;
      const token = await deriveToken(parent, {
        scopes: options.scope,
        endpoints,
        methods: options.method,
        expiresIn: options.expiresIn as Duration,
        clock: host.clock,
      });
      print(host, options.output, { token, ...claimsOf(token) }, () => `${token}\n`);
      note(
        host,
        `It ends ${claimsOf(token).expired_at}, or with the API token. It grants nothing that the API token does not hold.`,
      );
    });
}

/** The token of the current context. */
async function savedToken(host: Host): Promise<KnownToken | undefined> {
  const { current, contexts } = await loadContexts(host);
  const context = contexts.find(({ name }) => name === current);
  return context && { token: context.api_token, from: `the context ${quote(context.name)}` };
}

function claimsOf(token: string): { readonly expired_at: string } {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return { expired_at: new Date(claims.exp * 1000).toISOString() };
}
