import { Command } from 'commander';
import type { Host } from '../host.js';
import { outputOption } from '../options.js';
import { type Format, note, print } from '../output/print.js';
import { fields } from '../output/table.js';
import { shortened } from '../secrets.js';
import { effectiveContext } from '../target.js';

interface CurrentContextOptions {
  readonly output: Format;
  readonly showToken?: boolean;
}

export function currentContext(host: Host): Command {
  return new Command('current-context')
    .description('Print the current server and token, as JSON. The token is shortened on a terminal only.')
    .option('--show-token', 'on a terminal: print the whole token')
    .addOption(outputOption().default('json'))
    .action(async ({ output, showToken }: CurrentContextOptions) => {
      const { name, endpoint, api_token, email } = await effectiveContext(host, undefined);
      const hidden = host.stdout.isTTY === true && !showToken;
      const shown = { name, endpoint, api_token: hidden ? shortened(api_token) : api_token, email };
      print(host, output, shown, () => fields(Object.entries(shown)));
      if (hidden) note(host, 'The token is shortened on a terminal: --show-token prints it whole.');
    });
}
