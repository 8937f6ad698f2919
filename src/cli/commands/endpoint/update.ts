import { Command } from 'commander';
import type { Access } from '../../../domain/endpoint.js';
import type { Host } from '../../host.js';
import { accessOption, outputOption, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { type TargetOptions, withBackend } from '../../target.js';
import { endpointTable } from './list.js';

interface UpdateOptions extends TargetOptions {
  readonly access: Access;
  readonly output: Format;
}

export function update(host: Host): Command {
  return withTarget(new Command('update'))
    .description('Change the access of an endpoint. postern endpoint preview shows the effect beforehand.')
    .argument('<id>', 'its id')
    .addOption(accessOption().makeOptionMandatory())
    .addOption(outputOption())
    .action((id: string, { access, output, ...target }: UpdateOptions) =>
      withBackend(host, target, async (backend) => {
        const updated = await backend.updateEndpoint(id, access);
        print(host, output, updated, () => endpointTable(host, output, [updated]));
      }),
    );
}
