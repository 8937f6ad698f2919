import { Command, Option } from 'commander';
import { usageError } from '../../failure.js';
import { type GrantOptions, grantsOf, withGrants } from '../../grants.js';
import type { Host } from '../../host.js';
import {
  type ExpiryOptions,
  expiryOf,
  type LimitOptions,
  label,
  limitsOf,
  outputOption,
  withExpiry,
  withLimits,
  withTarget,
} from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { described } from './get.js';

interface UpdateOptions extends TargetOptions, GrantOptions, ExpiryOptions, LimitOptions {
  readonly name?: string;
  readonly description?: string;
  readonly label?: Readonly<Record<string, string>>;
  /** `false`: --no-labels. */
  readonly labels: boolean;
  readonly output: Format;
}

export function update(host: Host): Command {
  const command = withTarget(new Command('update'))
    .description(
      'Change a token. Fields that are not named stay; grants are replaced as a whole. The secret stays valid.',
    )
    .argument('<id>', 'its id')
    .option('--name <name>', 'its name')
    .option('--description <text>', 'its purpose');
  return withLimits(withExpiry(withGrants(command), '"never" removes its end'), 'removes it')
    .addOption(new Option('--label <key=value>', 'a label, in place of all present ones; repeatable').argParser(label))
    .option('--no-labels', 'remove its labels')
    .addOption(outputOption())
    .action((id: string, options: UpdateOptions) => {
      const { name, description } = options;
      const changes = {
        name,
        description,
        types: grantsOf(options),
        expiresAt: expiryOf(options, host.clock()),
        labels: options.labels ? options.label : {},
        ...limitsOf(options),
      };
      if (Object.values(changes).every((value) => value === undefined)) {
        throw usageError('there is nothing to change. Give --name, --description, grants, an expiry, limits or labels');
      }
      return withBackend(host, options, async (backend) => {
        const token = await backend.updateToken(id, changes);
        print(host, options.output, token, () => described(token, host.clock()));
      });
    });
}
