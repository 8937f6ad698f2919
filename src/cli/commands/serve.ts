import { Command, Option } from 'commander';
import type { Host } from '../host.js';
import { collect, configOption, namespaceOption, wholeNumber } from '../options.js';
import type { ServeOptions } from '../serve/serve.js';

const HELP = `
It serves the management API, the console, and an endpoint to try tokens on: GET /demo/…
Probes need no token: GET /healthz (the process is up) and GET /readyz (the store answers, and reports changes).
On an empty store it makes one developer token with every scope and shows it, this once. If nobody has seen it:
  postern api-token create --store sqlite:./postern.db --name admin --owner admin --scope '*'
(with the same --store, --organization, --namespace and --token-prefix as here)
It speaks plain HTTP. To serve other machines, put a proxy with TLS before it, and give the proxy's address in --origin.
A proxy that takes a path off, such as /admin/, needs no option. For one that leaves the path on: --base-path /admin.`;

export function serve(host: Host): Command {
  return new Command('serve')
    .description('Run the management API with the console, on a SQLite file or another store.')
    .addOption(
      new Option('--port <number>', 'the port to listen on; 0 takes a free one')
        .argParser(wholeNumber(0, 65_535))
        .default(3210),
    )
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--database <path>', 'the SQLite file for all data; it is made if missing (default: ./postern.db)')
    .addOption(
      new Option(
        '--store <url>',
        'another store: postgres://…, mysql://…, redis://…, sqlite:<path>, or config for the one in postern.config (or POSTERN_STORE)',
      ).conflicts('database'),
    )
    .addOption(namespaceOption())
    .addOption(configOption())
    .option('--organization <name>', 'the organization if none is named (default: default)')
    .option('--token-prefix <prefix>', 'the prefix of tokens (default: pst)')
    .option(
      '--bootstrap-token-file <path>',
      'write the bootstrap token to this new file of mode 0600, instead of showing it',
    )
    .option('--origin <url>', 'the public address, if a proxy stands before it: https://postern.example.com')
    .option('--base-path <path>', 'the path below which all but the probes is served, such as /admin')
    .addOption(
      new Option('--trusted-proxy <address>', 'a proxy whose X-Forwarded-For names the caller; repeatable')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--no-console', 'without the console')
    .addHelpText('after', HELP)
    .action(async (options: ServeOptions) => {
      // Loaded only here, because the console's pages and the API are most of the code.
      const { serveStore } = await import('../serve/serve.js');
      await serveStore(host, options);
    });
}
