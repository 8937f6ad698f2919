import { Command, Option } from 'commander';
import type { Host } from '../../host.js';
import { durationArgument, outputOption, withTarget } from '../../options.js';
import { type Format, note } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { printIssued } from './create.js';

interface RotateOptions extends TargetOptions {
  readonly grace?: string;
  readonly output: Format;
}

export function rotate(host: Host): Command {
  return withTarget(new Command('rotate'))
    .description(
      'Give a token a new secret. The new one is printed once, alone on stdout; the old one stops at once, or after a grace.',
    )
    .argument('<id>', 'its id')
    .addOption(
      new Option('--grace <duration>', 'the time that the old secret still works, such as 1h').argParser(
        durationArgument,
      ),
    )
    .addOption(outputOption())
    .action((id: string, { grace, output, ...target }: RotateOptions) =>
      withBackend(host, target, async (backend) => {
        printIssued(host, output, backend, await backend.rotateToken(id, grace), 'Rotated');
        note(
          host,
          grace === undefined
            ? 'The old secret no longer works.'
            : `The old secret works for ${grace} more, but not longer than the token.`,
        );
      }),
    );
}
