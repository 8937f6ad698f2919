import { Command } from 'commander';
import type { Host } from '../../host.js';
import { forget } from '../logout.js';
import { list } from './list.js';
import { show } from './show.js';
import { use } from './use.js';

export function context(host: Host): Command {
  const group = new Command('context').description('Manage contexts: the servers that you are logged in to.');
  return group.addCommand(list(host).alias('ls')).addCommand(use(host)).addCommand(show(host)).addCommand(remove(host));
}

function remove(host: Host): Command {
  return new Command('delete')
    .description('Forget a context and its token, like postern logout.')
    .argument('<name>', 'its name')
    .action((name: string) => forget(host, name));
}
