import type { Command } from 'commander';
import { usageError } from '../failure.js';

/**
 * Refuses a token among the arguments of a command, and says how to give one.
 *
 * @param words the words that make the command read a pipe
 */
export function withoutTokenArgument(command: Command, words = ''): Command {
  return command.allowExcessArguments().hook('preAction', (_, { args }) => {
    if (args.length === 0) return;
    throw usageError(
      `a token on the command line can be seen by other programs and stays in the shell's history. Pipe it in, as in echo "$TOKEN" | postern ${command.name()}${words}, or name a file with --token-file`,
    );
  });
}
