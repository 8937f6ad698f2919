import { Command } from 'commander';
import type { Host } from '../../host.js';
import { create } from './create.js';
import { remove } from './delete.js';
import { list } from './list.js';
import { preview } from './preview.js';
import { update } from './update.js';

export function endpoint(host: Host): Command {
  const group = new Command('endpoint').description(
    'Manage endpoints and their access, on the current server or on a store.',
  );
  for (const command of [list, create, update, remove, preview]) group.addCommand(command(host));
  return group;
}
