import { Command } from 'commander';
import { loadContexts, removeContext } from '../contexts.js';
import { CliError } from '../failure.js';
import type { Host } from '../host.js';
import { say } from '../output/print.js';

export function logout(host: Host): Command {
  return new Command('logout')
    .description('Forget the token of a context. The token itself works until it is revoked or ends.')
    .option('--context <name>', 'the context to forget, instead of the current one')
    .action(async ({ context }: { readonly context?: string }) => {
      const name = context ?? (await loadContexts(host)).current;
      if (name === null) throw new CliError('no context is in use. Name one with --context, from postern context list');
      await forget(host, name);
    });
}

/** Removes a context, and says that its token goes on. */
export async function forget(host: Host, name: string): Promise<void> {
  const { endpoint } = await removeContext(host, name);
  say(host, `Logged out of ${endpoint} (context "${name}"). Its token still works: revoke it if nobody else uses it.`);
}
