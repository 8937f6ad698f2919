import { Command } from 'commander';
import { useContext } from '../../contexts.js';
import type { Host } from '../../host.js';
import { say } from '../../output/print.js';

/** @param word its name: `use`, or the older `use-context` */
export function use(host: Host, word = 'use'): Command {
  return new Command(word)
    .description('Use the server of this context from now on.')
    .argument('<name>', 'a name from postern context list')
    .action(async (name: string) => {
      const { endpoint } = await useContext(host, name);
      say(host, `Using context "${name}": ${endpoint}`);
    });
}
