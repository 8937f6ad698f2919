import { Command, Option } from 'commander';
import type { Backend, Issued } from '../../backend/backend.js';
import { usageError } from '../../failure.js';
import { type GrantOptions, grantsOf, withGrants } from '../../grants.js';
import type { Host } from '../../host.js';
import {
  type ExpiryOptions,
  expiryOf,
  type LimitOptions,
  label,
  limitsOf,
  outputOption,
  withExpiry,
  withLimits,
  withTarget,
} from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { named, timeInWords } from '../../output/words.js';
import { isInteractive } from '../../prompts.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { type Answers, askForToken } from './ask.js';

interface CreateOptions extends TargetOptions, GrantOptions, ExpiryOptions, LimitOptions {
  readonly name?: string;
  readonly description: string;
  readonly owner?: string;
  readonly organizationToken?: boolean;
  readonly label?: Readonly<Record<string, string>>;
  readonly output: Format;
}

export function create(host: Host): Command {
  const command = withTarget(new Command('create'))
    .description(
      'Make a token. Its secret is printed once, alone on stdout; nobody can show it again. On a terminal, without any name, rights and expiry, it asks for them.',
    )
    .option('--name <name>', 'its name')
    .option('--description <text>', 'its purpose', '');
  return withLimits(withExpiry(withGrants(command), 'without this and --expires-at it never expires'))
    .option('--organization-token', 'it belongs to the organization, and stays when its maker leaves')
    .addOption(new Option('--owner <owner>', 'with --store: its owner (default: nobody)'))
    .addOption(new Option('--label <key=value>', 'a label; repeatable').argParser(label))
    .addOption(outputOption())
    .action((options: CreateOptions) => {
      const given = givenIn(host, options);
      const { description, owner, organizationToken = false, label: labels = {}, output } = options;
      const { rateLimit, quota } = limitsOf(options);
      return withBackend(host, options, async (backend) => {
        const { name, types, expiresAt } = given ?? (await askForToken(host, backend));
        const issued = await backend.createToken({
          name,
          description,
          types,
          ownership: organizationToken ? 'organization' : 'personal',
          owner,
          expiresAt,
          labels,
          rateLimit: rateLimit ?? undefined,
          quota: quota ?? undefined,
        });
        printIssued(host, output, backend, issued, 'Created');
      });
    });
}

/** The token of the options; `null`: nothing is given, and there is a person to ask. */
function givenIn(host: Host, options: CreateOptions): Answers | null {
  const { name } = options;
  const types = grantsOf(options);
  const expiresAt = expiryOf(options, host.clock());
  if (name === undefined && types === undefined && expiresAt === undefined && isInteractive(host)) return null;
  if (name === undefined) throw usageError('a token needs a name. Give --name');
  if (types === undefined) {
    throw usageError(
      'a token needs rights. Give --endpoint or --all-endpoints (user token), --scope (developer token), or both',
    );
  }
  return { name, types, expiresAt: expiresAt ?? null };
}

/** Prints the secret, this once: alone on stdout, for `TOKEN=$(postern api-token create …)`. Notes go to stderr. */
export function printIssued(
  host: Host,
  output: Format,
  backend: Backend,
  { token, record }: Issued,
  done: string,
): void {
  print(host, output, { ...record, token }, () => `${token}\n`);
  const ends = record.expired_at === null ? 'it never expires' : `it expires ${timeInWords(record.expired_at, '')}`;
  note(host, `${done} token ${named(record)}; ${ends}.`);
  note(host, 'Its secret is shown only this once: keep it in a safe place.');
  const isDeveloper = Object.values(record.types).some(({ scopes }) => scopes !== undefined);
  if (isDeveloper && backend.endpoint !== null) {
    note(host, `To log in with it: postern login --endpoint ${backend.endpoint} --api-token (it asks for the token).`);
  }
}
