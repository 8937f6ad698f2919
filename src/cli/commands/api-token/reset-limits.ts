import { Command } from 'commander';
import type { Host } from '../../host.js';
import { withTarget } from '../../options.js';
import { say } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { eachOf } from '../each.js';

export function resetLimits(host: Host): Command {
  return withTarget(new Command('reset-limits'))
    .description('Fill the rate limit and the quota of tokens again.')
    .argument('<id...>', 'their ids')
    .action((ids: readonly string[], target: TargetOptions) =>
      withBackend(host, target, (backend) =>
        eachOf(host, ids, 'Filling', async (id) => {
          await backend.resetLimits(id);
          say(host, `The limits of ${id} are full again`);
        }),
      ),
    );
}
