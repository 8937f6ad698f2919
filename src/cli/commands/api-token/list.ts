import { Command, Option } from 'commander';
import type { Ownership } from '../../../domain/principal.js';
import type { Host } from '../../host.js';
import { outputOption, wholeNumber, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { table } from '../../output/table.js';
import { grantsInWords, timeInWords } from '../../output/words.js';
import { readPages } from '../../paging.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface ListOptions extends TargetOptions {
  readonly search?: string;
  readonly type?: string;
  readonly owner?: string;
  readonly ownership?: Ownership;
  readonly limit: number;
  readonly all?: boolean;
  readonly output: Format;
}

export function list(host: Host): Command {
  return withTarget(new Command('list'))
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
    .addOption(new Option('--limit <count>', 'the most to list').argParser(wholeNumber(1, 1_000_000)).default(100))
    .option('--all', 'list all of them')
    .addOption(outputOption())
    .action((options: ListOptions) =>
      withBackend(host, options, async (backend) => {
        const { search, type, owner, ownership, output } = options;
        const limit = options.all ? Number.POSITIVE_INFINITY : options.limit;
        const { items, more } = await readPages(host, limit, (page) => {
          return backend.listTokens({ search, type, owner, ownership, ...page });
        });
        print(host, output, items, () =>
          table(
            ['ID', 'NAME', 'STATUS', 'GRANTS', 'OWNER', 'CREATED', 'EXPIRES', 'LAST USED'],
            items.map((token) => [
              token.uid,
              token.name,
              token.status,
              grantsInWords(token),
              token.ownership === 'organization' ? '(organization)' : token.owner,
              timeInWords(token.created_at, '-'),
              timeInWords(token.expired_at, 'never'),
              timeInWords(token.last_used_at, 'never'),
            ]),
          ),
        );
        if (more) note(host, `There are more than these ${items.length}: --all shows them, --search finds some.`);
        if (items.length === 0) note(host, 'There are none: make one with postern api-token create.');
      }),
    );
}
