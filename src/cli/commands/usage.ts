import { Command, InvalidArgumentError, Option } from 'commander';
import { isDay } from '../../management/wire/time.js';
import type { DailyUse } from '../../management/wire/types.js';
import type { UsageDays } from '../backend/backend.js';
import type { Host } from '../host.js';
import { outputOption, withTarget } from '../options.js';
import { type Format, note, print } from '../output/print.js';
import { table } from '../output/table.js';
import { listed } from '../output/words.js';
import { type TargetOptions, withBackend } from '../target.js';

interface UsageOptions extends TargetOptions, UsageDays {
  readonly token?: string;
  readonly output: Format;
}

export function usage(host: Host): Command {
  return withTarget(new Command('usage'))
    .description(
      'Show the usage of the last 90 days, by day (UTC), endpoint and scopes: of all tokens, or of one. A dash: the calls needed none.',
    )
    .option('--token <id>', 'only the usage of this token')
    .addOption(new Option('--from <day>', 'the first day, such as 2026-01-31').argParser(day))
    .addOption(new Option('--to <day>', 'the last day').argParser(day))
    .addOption(outputOption())
    .action(({ token, from, to, output, ...target }: UsageOptions) =>
      withBackend(host, target, async (backend) => {
        const uses = await backend.dailyUsage(token ?? null, { from, to });
        print(host, output, uses, () =>
          table<DailyUse>(
            host,
            output,
            [
              { heading: 'DAY', cell: ({ day }) => day },
              { heading: 'ENDPOINT', cell: ({ endpoint }) => endpoint, least: 12 },
              { heading: 'SCOPES', cell: ({ scopes }) => listed(scopes), least: 12, rank: 1 },
              { heading: 'COUNT', cell: ({ count }) => count },
            ],
            uses,
          ),
        );
        if (uses.length === 0) note(host, 'No usage on these days.');
      }),
    );
}

function day(text: string): string {
  if (isDay(text)) return text;
  throw new InvalidArgumentError('Give a day such as 2026-01-31.');
}
