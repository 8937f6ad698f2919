import { Command, Option } from 'commander';
import type { Endpoint } from '../../../management/wire/types.js';
import type { Host } from '../../host.js';
import { outputOption, wholeNumber, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { table } from '../../output/table.js';
import { timesIn } from '../../output/words.js';
import { readPages } from '../../paging.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface ListOptions extends TargetOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly output: Format;
}

export function list(host: Host): Command {
  return withTarget(new Command('list').alias('ls'))
    .description('List endpoints, by id.')
    .addOption(new Option('--limit <count>', 'the most to list').argParser(wholeNumber(1, 1_000_000)).default(100))
    .option('--all', 'list all of them')
    .addOption(outputOption())
    .action(({ limit, all, output, ...target }: ListOptions) =>
      withBackend(host, target, async (backend) => {
        const most = all ? Number.POSITIVE_INFINITY : limit;
        const { items, more } = await readPages(host, most, (page) => backend.listEndpoints(page));
        print(host, output, items, () => endpointTable(host, output, items));
        if (more) note(host, `There are more than these ${items.length}: --all shows them.`);
        if (items.length === 0) note(host, 'There are none: register one with postern endpoint create.');
      }),
    );
}

export function endpointTable(host: Host, output: Format, endpoints: readonly Endpoint[]): string {
  const time = timesIn(output, host.clock());
  return table<Endpoint>(
    host,
    output,
    [
      { heading: 'ID', cell: ({ id }) => id },
      { heading: 'ACCESS', cell: ({ access }) => access, style: ({ access }) => STYLES[access] },
      { heading: 'CREATED', cell: ({ created_at }) => time(created_at, '-'), rank: 2 },
      { heading: 'UPDATED', cell: ({ updated_at }) => time(updated_at, '-'), rank: 1 },
    ],
    endpoints,
  );
}

/** Public: anyone may call it. */
const STYLES = { public: 'yellow', protected: 'green', private: 'dim' } as const;
