import { Command } from 'commander';
import type { Access } from '../../../domain/endpoint.js';
import type { Host } from '../../host.js';
import { accessOption, outputOption, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { endpointTable } from './list.js';

interface CreateOptions extends TargetOptions {
  readonly access: Access;
  readonly output: Format;
}

export function create(host: Host): Command {
  return withTarget(new Command('create'))
    .description('Register an endpoint, so that guards know it and tokens can be granted to reach it.')
    .argument('<id>', 'its id, as guards name it')
    .addOption(accessOption().default('protected'))
    .addOption(outputOption())
    .action((id: string, { access, output, ...target }: CreateOptions) =>
      withBackend(host, target, async (backend) => {
        const made = await backend.createEndpoint(id, access);
        print(host, output, made, () => endpointTable(host, output, [made]));
      }),
    );
}
