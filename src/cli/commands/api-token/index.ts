import { Command } from 'commander';
import type { Host } from '../../host.js';
import { create } from './create.js';
import { remove } from './delete.js';
import { get } from './get.js';
import { importTokens } from './import.js';
import { list } from './list.js';
import { prune } from './prune.js';
import { resetLimits } from './reset-limits.js';
import { revoke } from './revoke.js';
import { rotate } from './rotate.js';
import { update } from './update.js';
import { usage } from './usage.js';

export function apiToken(host: Host): Command {
  const group = new Command('api-token').description('Manage API tokens on the current server or on a store.');
  for (const command of [list, create, get, update, rotate, revoke, resetLimits, remove, prune, importTokens, usage])
    group.addCommand(command(host));
  return group;
}
