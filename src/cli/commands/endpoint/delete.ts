import { Command } from 'commander';
import type { Host } from '../../host.js';
import { withTarget, yesOption } from '../../options.js';
import { say } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { assertCanConfirm, confirmed, eachOf } from '../each.js';

interface DeleteOptions extends TargetOptions {
  readonly yes?: boolean;
}

export function remove(host: Host): Command {
  return withTarget(new Command('delete'))
    .description(
      'Delete endpoints with all grants of them. An endpoint made later under the same id is another one. On a terminal it asks first; elsewhere it needs --yes.',
    )
    .argument('<id...>', 'their ids')
    .addOption(yesOption())
    .action((given: readonly string[], { yes = false, ...target }: DeleteOptions) => {
      assertCanConfirm(host, yes);
      return withBackend(host, target, async (backend) => {
        const ids = [...new Set(given)];
        await confirmed(host, yes, ids, 'endpoint');
        await eachOf(host, ids, 'Deleting', async (id) => {
          await backend.deleteEndpoint(id);
          say(host, `Deleted ${id}`);
        });
      });
    });
}
