import { Command, Option } from 'commander';
import type { Ownership } from '../../../domain/principal.js';
import { TOKEN_STATES, type TokenState } from '../../../domain/token-state.js';
import type { TokenView } from '../../backend/backend.js';
import type { Host } from '../../host.js';
import { durationArgument, outputOption, wholeNumber, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { type Column, table } from '../../output/table.js';
import { grantsInWords, stateInWords, timesIn } from '../../output/words.js';
import { readPages } from '../../paging.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface ListOptions extends TargetOptions {
  readonly search?: string;
  readonly type?: string;
  readonly owner?: string;
  readonly ownership?: Ownership;
  readonly status?: TokenState;
  readonly expires?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly output: Format;
}

export function list(host: Host): Command {
  return withTarget(new Command('list').alias('ls'))
    .description("List tokens, newest first, without secrets. JSON and YAML use the API's names: uid, expired_at, …")
    .option('--search <text>', 'only tokens with this text in their name or description')
    .option('--type <type>', 'only tokens of this type, such as user or developer')
    .option('--owner <owner>', 'only tokens of this owner')
    .addOption(
      new Option('--ownership <ownership>', 'only personal tokens, or only those of the organization').choices([
        'personal',
        'organization',
      ]),
    )
    .addOption(
      new Option(
        '--status <status>',
        'only tokens of this status; expiring: it expires within 7 days; idle: not used for 30 days',
      ).choices(TOKEN_STATES),
    )
    .addOption(
      new Option(
        '--expires <duration>',
        'only tokens that expire within this time from now, such as 30d; or never',
      ).argParser((value) => (value === 'never' ? value : durationArgument(value))),
    )
    .addOption(new Option('--limit <count>', 'the most to list').argParser(wholeNumber(1, 1_000_000)).default(100))
    .option('--all', 'list all of them')
    .addOption(outputOption())
    .action((options: ListOptions) =>
      withBackend(host, options, async (backend) => {
        const { search, type, owner, ownership, status: state, expires, output } = options;
        const limit = options.all ? Number.POSITIVE_INFINITY : options.limit;
        const { items, more } = await readPages(host, limit, (page) => {
          return backend.listTokens({ search, type, owner, ownership, state, expires, ...page });
        });
        print(host, output, items, () => table(host, output, columns(output, host.clock()), items));
        if (more) note(host, `There are more than these ${items.length}: --all shows them, --search finds some.`);
        if (items.length === 0) note(host, 'There are none: make one with postern api-token create.');
      }),
    );
}

function columns(output: Format, now: number): readonly Column<TokenView>[] {
  const time = timesIn(output, now);
  return [
    { heading: 'ID', cell: ({ uid }) => uid },
    { heading: 'NAME', cell: ({ name }) => name, least: 10 },
    {
      heading: 'STATUS',
      cell: (token) => stateInWords(token, now).word,
      style: (token) => stateInWords(token, now).style,
    },
    { heading: 'GRANTS', cell: grantsInWords, least: 24, rank: 3 },
    {
      heading: 'OWNER',
      cell: ({ ownership, owner }) => (ownership === 'organization' ? '(organization)' : owner),
      least: 8,
      rank: 4,
    },
    { heading: 'CREATED', cell: ({ created_at }) => time(created_at, '-'), rank: 5 },
    { heading: 'EXPIRES', cell: ({ expired_at }) => time(expired_at, 'never'), rank: 1 },
    { heading: 'LAST USED', cell: ({ last_used_at }) => time(last_used_at, 'never'), rank: 2 },
  ];
}
