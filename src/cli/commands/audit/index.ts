import { Command } from 'commander';
import type { Host } from '../../host.js';
import { list } from './list.js';

export function audit(host: Host): Command {
  return new Command('audit').description('Read the log of changes of tokens and endpoints.').addCommand(list(host));
}
