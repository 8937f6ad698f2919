import { Command, Option } from 'commander';
import { cancelled, usageError } from '../../failure.js';
import type { Host } from '../../host.js';
import { durationArgument, withTarget, yesOption } from '../../options.js';
import { progress, say } from '../../output/print.js';
import { askConfirmation } from '../../prompts.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { assertCanConfirm } from '../each.js';

interface PruneOptions extends TargetOptions {
  readonly olderThan: string;
  readonly yes?: boolean;
}

export function prune(host: Host): Command {
  return withTarget(new Command('prune'))
    .description(
      'Delete the tokens of a store that expired long ago, in all of its organizations. On a terminal it asks first; elsewhere it needs --yes.',
    )
    .addOption(
      new Option('--older-than <duration>', 'the time since they expired').argParser(durationArgument).default('30d'),
    )
    .addOption(yesOption())
    .action(({ olderThan, yes = false, ...target }: PruneOptions) => {
      if (target.organization !== undefined)
        throw usageError('prune works on all organizations of a store. Leave --organization out');
      assertCanConfirm(host, yes);
      return withBackend(host, target, async (backend) => {
        const question = `Delete all tokens of ${backend.place} that expired more than ${olderThan} ago?`;
        if (!yes && !(await askConfirmation(host, question))) throw cancelled('Nothing was deleted.');
        const line = progress(host);
        line.show('Pruning …');
        const count = await backend.pruneTokens(olderThan).finally(line.end);
        say(host, `Deleted ${count} ${count === 1 ? 'token' : 'tokens'} that expired more than ${olderThan} ago`);
      });
    });
}
