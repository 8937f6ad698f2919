import { Command } from 'commander';
import type { Use } from '../../../management/wire/types.js';
import type { Host } from '../../host.js';
import { outputOption, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { table } from '../../output/table.js';
import { timesIn } from '../../output/words.js';
import { type TargetOptions, withBackend } from '../../target.js';

export function usage(host: Host): Command {
  return withTarget(new Command('usage'))
    .description(
      'Show the usage of a token by endpoint, with the time of the last call. postern usage shows it by day.',
    )
    .argument('<id>', 'its id')
    .addOption(outputOption())
    .action((id: string, { output, ...target }: TargetOptions & { readonly output: Format }) =>
      withBackend(host, target, async (backend) => {
        const time = timesIn(output, host.clock());
        const uses = await backend.tokenUsage(id);
        print(host, output, uses, () =>
          table<Use>(
            host,
            output,
            [
              { heading: 'ENDPOINT', cell: ({ endpoint }) => endpoint ?? '(scopes)', least: 12 },
              { heading: 'COUNT', cell: ({ count }) => count },
              { heading: 'LAST USED', cell: ({ last_used_at }) => time(last_used_at, '-') },
            ],
            uses,
          ),
        );
        if (uses.length === 0) note(host, 'It has not been used yet.');
      }),
    );
}
