import { Command, Option } from 'commander';
import type { Zone } from '../../domain/endpoint.js';
import { escapeInvisible } from '../../domain/text.js';
import type { Explanation } from '../../management/wire/types.js';
import type { Question } from '../backend/backend.js';
import { EXIT } from '../exit-codes.js';
import { usageError } from '../failure.js';
import type { Host } from '../host.js';
import { collect, outputOption, tokenFileOption, withTarget } from '../options.js';
import type { Outcome } from '../outcome.js';
import { type Format, print } from '../output/print.js';
import { paint } from '../output/style.js';
import { table } from '../output/table.js';
import { environmentToken, readToken } from '../secrets.js';
import { type TargetOptions, withBackend } from '../target.js';
import { withoutTokenArgument } from './token-argument.js';

interface ExplainOptions extends TargetOptions {
  readonly endpoint?: string;
  readonly scope?: readonly string[];
  readonly authenticated?: boolean;
  readonly zone: Zone;
  /** `false`: --no-token. */
  readonly token: boolean;
  readonly tokenFile?: string;
  readonly output: Format;
}

export function explain(host: Host, outcome: Outcome): Command {
  return withTarget(withoutTokenArgument(new Command('explain')))
    .description(
      'Explain why a token is allowed or denied. Prints every check in order, and the grant that would change the answer.',
    )
    .addOption(new Option('--endpoint <id>', 'the call is to this endpoint').conflicts(['scope', 'authenticated']))
    .addOption(
      new Option('--scope <scope>', 'the call needs this scope; repeatable, and all are needed')
        .argParser(collect)
        .conflicts('authenticated'),
    )
    .option('--authenticated', 'the call needs any valid token')
    .addOption(new Option('--zone <zone>', "the caller's zone").choices(['external', 'internal']).default('external'))
    .option('--no-token', 'the call comes without a token')
    .addOption(tokenFileOption())
    .addOption(outputOption())
    .action(async (options: ExplainOptions) => {
      const requirement = requirementOf(options);
      const token = options.token
        ? await readToken(host, {
            file: options.tokenFile,
            known: environmentToken(host),
            pipeFirst: true,
            prompt: 'Token to explain',
          })
        : null;
      const found = await withBackend(host, options, (backend) => {
        return backend.explain({ token, zone: options.zone, requirement });
      });
      print(host, options.output, found, () => told(host, options.output, found));
      if (!found.allowed) outcome.exitCode = EXIT.failed;
    });
}

function requirementOf({ endpoint, scope, authenticated }: ExplainOptions): Question['requirement'] {
  if (endpoint !== undefined) return { endpoint };
  if (scope !== undefined) return { scope };
  if (authenticated) return { authenticated };
  throw usageError('explain needs the requirement of the call. Give --endpoint, --scope or --authenticated');
}

function told(host: Host, output: Format, { allowed, reason, steps, remedy }: Explanation): string {
  const verdict = allowed
    ? paint(host, 'green', 'Allowed.', 'stdout')
    : paint(host, 'red', `Denied: ${escapeInvisible(reason ?? '')}`, 'stdout');
  const checks = table<Explanation['steps'][number]>(
    host,
    output,
    [
      { heading: 'CHECK', cell: ({ check }) => check },
      {
        heading: 'RESULT',
        cell: ({ passed }) => (passed ? 'passed' : 'failed'),
        style: ({ passed }) => (passed ? 'green' : 'red'),
      },
      // Never cut: the last one says why.
      { heading: 'DETAIL', cell: ({ detail }) => detail },
    ],
    steps,
  );
  return `${verdict}\n\n${checks}${remedy === null ? '' : `\n${escapeInvisible(remedy.message)}\n`}`;
}
