import { Command } from 'commander';
import type { Host } from '../../host.js';
import { outputOption } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { fields } from '../../output/table.js';
import { headingOf } from '../../output/words.js';
import { shortened } from '../../secrets.js';
import { effectiveContext } from '../../target.js';

interface ShowOptions {
  readonly output: Format;
  readonly showToken?: boolean;
}

export function show(host: Host): Command {
  return new Command('show')
    .description('Show the current context, or another one. Its token is cut short.')
    .argument('[name]', 'the context to show, instead of the current one')
    .option('--show-token', 'show the whole token')
    .addOption(outputOption())
    .action((name: string | undefined, { output, showToken = false }: ShowOptions) =>
      printContext(host, output, name, !showToken),
    );
}

/** As jq wants it: JSON, with the whole token in a pipe. */
export function currentContext(host: Host): Command {
  return new Command('current-context')
    .description('Print the current server and token, as JSON. The token is cut short on a terminal only.')
    .option('--show-token', 'on a terminal: print the whole token')
    .addOption(outputOption().default('json'))
    .action(async ({ output, showToken = false }: ShowOptions) => {
      const hidden = host.stdout.isTTY === true && !showToken;
      await printContext(host, output, undefined, hidden);
      if (hidden) note(host, 'The token is cut short on a terminal: --show-token prints it whole.');
    });
}

async function printContext(host: Host, output: Format, named: string | undefined, hidden: boolean): Promise<void> {
  const { name, endpoint, api_token, email } = await effectiveContext(host, named);
  const shown = { name, endpoint, api_token: hidden ? shortened(api_token) : api_token, email };
  print(host, output, shown, () =>
    fields([
      ['Name', name],
      ['Endpoint', endpoint],
      ['Token', shown.api_token],
      [headingOf(email), email],
    ]),
  );
}
