import { Command } from 'commander';
import { loadContexts } from '../contexts.js';
import type { Host } from '../host.js';
import { outputOption } from '../options.js';
import { type Format, note, print } from '../output/print.js';
import { table } from '../output/table.js';

export function listContext(host: Host): Command {
  return new Command('list-context')
    .description('List the servers that you are logged in to. Tokens are not shown.')
    .addOption(outputOption())
    .action(async ({ output }: { readonly output: Format }) => {
      const { current, contexts } = await loadContexts(host);
      const shown = contexts.map(({ name, endpoint, email }) => ({ name, current: name === current, endpoint, email }));
      print(host, output, shown, () =>
        table(
          ['CURRENT', 'NAME', 'ENDPOINT', 'EMAIL'],
          shown.map(({ name, current: inUse, endpoint, email }) => [inUse ? '*' : ' ', name, endpoint, email]),
        ),
      );
      if (contexts.length === 0) note(host, 'You are not logged in to any server: use postern login --endpoint <url>.');
    });
}
