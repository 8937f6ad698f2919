import { Command, Option } from 'commander';
import type { Host } from '../host.js';
import { say } from '../output/print.js';
import { effectiveContext } from '../target.js';

interface OpenOptions {
  readonly context?: string;
  readonly browser: boolean;
}

export function open(host: Host): Command {
  return new Command('open')
    .description('Open the console of the server in a browser. Its address is printed too.')
    .addOption(new Option('--context <name>', 'the server of this context, instead of the current one'))
    .option('--no-browser', 'only print the address')
    .action(async ({ context, browser }: OpenOptions) => {
      const { endpoint } = await effectiveContext(host, context);
      const page = `${endpoint}/api_tokens`;
      say(host, page);
      if (browser && host.stdout.isTTY) host.openBrowser(page);
    });
}
