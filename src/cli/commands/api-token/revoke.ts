import { Command } from 'commander';
import type { Host } from '../../host.js';
import { withTarget } from '../../options.js';
import { say } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { eachOf } from '../each.js';

export function revoke(host: Host): Command {
  return withTarget(new Command('revoke'))
    .description('End tokens at once and for good. They stay listed. It does not ask, because a revocation is urgent.')
    .argument('<id...>', 'their ids')
    .action((ids: readonly string[], target: TargetOptions) =>
      withBackend(host, target, (backend) =>
        eachOf(host, ids, 'Revoking', async (id) => {
          await backend.revokeToken(id);
          say(host, `Revoked ${id}`);
        }),
      ),
    );
}
