import { Command } from 'commander';
import { useContext as choose } from '../contexts.js';
import type { Host } from '../host.js';
import { say } from '../output/print.js';

export function useContext(host: Host): Command {
  return new Command('use-context')
    .description('Use the server of this context from now on.')
    .argument('<name>', 'a name from postern list-context')
    .action(async (name: string) => {
      const { endpoint } = await choose(host, name);
      say(host, `Using context "${name}": ${endpoint}`);
    });
}
