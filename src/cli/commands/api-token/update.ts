import { Command, Option } from 'commander';
import { usageError } from '../../failure.js';
import { type GrantOptions, grantsOf, withGrants } from '../../grants.js';
import type { Host } from '../../host.js';
import { type ExpiryOptions, expiryOf, label, outputOption, withExpiry, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { described } from './get.js';

interface UpdateOptions extends TargetOptions, GrantOptions, ExpiryOptions {
  readonly name?: string;
  readonly description?: string;
  readonly label?: Readonly<Record<string, string>>;
  /** `false`: --no-labels. */
  readonly labels: boolean;
  readonly output: Format;
}

export function update(host: Host): Command {
  const command = withTarget(new Command('update'))
    .description('Change a token. What is not named stays; grants are replaced whole. Its secret goes on.')
    .argument('<id>', 'its id')
    .option('--name <name>', 'what people know it by')
    .option('--description <text>', 'what it is for');
  return withExpiry(withGrants(command), '"never" takes its end away')
    .addOption(new Option('--label <key=value>', 'a label, in place of all that it has; repeatable').argParser(label))
    .option('--no-labels', 'take its labels away')
    .addOption(outputOption())
    .action((id: string, options: UpdateOptions) => {
      const { name, description } = options;
      const changes = {
        name,
        description,
        types: grantsOf(options),
        expiresAt: expiryOf(options, host.clock()),
        labels: options.labels ? options.label : {},
      };
      if (Object.values(changes).every((value) => value === undefined)) {
        throw usageError('there is nothing to change: give --name, --description, grants, an expiry or labels');
      }
      return withBackend(host, options, async (backend) => {
        const token = await backend.updateToken(id, changes);
        print(host, options.output, token, () => described(token));
      });
    });
}
