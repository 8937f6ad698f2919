import { Command, Option } from 'commander';
import { identify } from '../backend/identity.js';
import type { Host } from '../host.js';
import { outputOption } from '../options.js';
import { type Format, print } from '../output/print.js';
import { fields } from '../output/table.js';
import { headingOf } from '../output/words.js';
import { effectiveContext, warnInTheClear } from '../target.js';

interface WhoamiOptions {
  readonly context?: string;
  readonly output: Format;
}

export function whoami(host: Host): Command {
  return new Command('whoami')
    .description('Ask the server for the owner of your token.')
    .addOption(new Option('--context <name>', 'the server of this context, instead of the current one'))
    .addOption(outputOption())
    .action(async ({ context: named, output }: WhoamiOptions) => {
      const { name, endpoint, api_token } = await effectiveContext(host, named);
      warnInTheClear(host, endpoint);
      const { user, email, organization } = await identify(endpoint, api_token);
      print(host, output, { user, email, organization, context: name, endpoint }, () =>
        fields([
          ['User', user],
          ...(email === user ? [] : ([[headingOf(email), email]] as const)),
          ['Organization', organization],
          ['Context', name],
          ['Endpoint', endpoint],
        ]),
      );
    });
}
