import { Command } from 'commander';
import { unknownToken } from '../../backend/not-found.js';
import type { Host } from '../../host.js';
import { withTarget, yesOption } from '../../options.js';
import { say } from '../../output/print.js';
import { named } from '../../output/words.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { assertCanConfirm, confirmed, eachOf } from '../each.js';

interface DeleteOptions extends TargetOptions {
  readonly yes?: boolean;
}

export function remove(host: Host): Command {
  return withTarget(new Command('delete'))
    .description(
      'Delete tokens: they stop working at once and are no longer listed. On a terminal it asks first; elsewhere it needs --yes.',
    )
    .argument('<id...>', 'their ids')
    .addOption(yesOption())
    .action((ids: readonly string[], { yes = false, ...target }: DeleteOptions) => {
      assertCanConfirm(host, yes);
      return withBackend(host, target, async (backend) => {
        // All are read before any is deleted, so that a mistyped id stops the command.
        const tokens = [];
        for (const id of new Set(ids)) {
          const token = await backend.findToken(id);
          if (token === null) throw unknownToken(id);
          tokens.push(token);
        }
        await confirmed(host, yes, tokens.map(named), 'token');
        await eachOf(host, tokens, 'Deleting', async (token) => {
          await backend.deleteToken(token.uid);
          say(host, `Deleted ${token.uid}`);
        });
      });
    });
}
