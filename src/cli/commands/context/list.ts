import { Command } from 'commander';
import { type Context, loadContexts } from '../../contexts.js';
import type { Host } from '../../host.js';
import { outputOption } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { table } from '../../output/table.js';
import { headingOf } from '../../output/words.js';

type Shown = Pick<Context, 'name' | 'endpoint' | 'email'> & { readonly current: boolean };

/** @param word its name: `list`, or the older `list-context` */
export function list(host: Host, word = 'list'): Command {
  return new Command(word)
    .description('List the servers that you are logged in to. Tokens are not shown.')
    .addOption(outputOption())
    .action(async ({ output }: { readonly output: Format }) => {
      const { current, contexts } = await loadContexts(host);
      const shown = contexts.map(({ name, endpoint, email }) => ({ name, current: name === current, endpoint, email }));
      print(host, output, shown, () =>
        table<Shown>(
          host,
          output,
          [
            { heading: 'CURRENT', cell: (each) => (each.current ? '*' : ' ') },
            { heading: 'NAME', cell: ({ name }) => name },
            { heading: 'ENDPOINT', cell: ({ endpoint }) => endpoint, least: 20 },
            {
              heading: headingOf(...contexts.map(({ email }) => email)).toUpperCase(),
              cell: ({ email }) => email,
              least: 12,
              rank: 1,
            },
          ],
          shown,
        ),
      );
      if (contexts.length === 0) note(host, 'You are not logged in to any server: use postern login --endpoint <url>.');
    });
}
