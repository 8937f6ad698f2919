import { Command, Option } from 'commander';
import type { Endpoint } from '../../../management/wire/types.js';
import type { Host } from '../../host.js';
import { outputOption, wholeNumber, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { table } from '../../output/table.js';
import { timeInWords } from '../../output/words.js';
import { readPages } from '../../paging.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface ListOptions extends TargetOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly output: Format;
}

export function list(host: Host): Command {
  return withTarget(new Command('list'))
    .description('List endpoints, by id.')
    .addOption(new Option('--limit <count>', 'the most to list').argParser(wholeNumber(1, 1_000_000)).default(100))
    .option('--all', 'list all of them')
    .addOption(outputOption())
    .action(({ limit, all, output, ...target }: ListOptions) =>
      withBackend(host, target, async (backend) => {
        const most = all ? Number.POSITIVE_INFINITY : limit;
        const { items, more } = await readPages(host, most, (page) => backend.listEndpoints(page));
        print(host, output, items, () => endpointTable(items));
        if (more) note(host, `There are more than these ${items.length}: --all shows them.`);
        if (items.length === 0) note(host, 'There are none: register one with postern endpoint create.');
      }),
    );
}

export function endpointTable(endpoints: readonly Endpoint[]): string {
  return table(
    ['ID', 'ACCESS', 'CREATED', 'UPDATED'],
    endpoints.map(({ id, access, created_at, updated_at }) => [
      id,
      access,
      timeInWords(created_at, '-'),
      timeInWords(updated_at, '-'),
    ]),
  );
}
