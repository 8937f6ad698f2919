import { Command } from 'commander';
import { listOf } from '../../stores/sql/verify.js';
import { openStore, STORE_OF_CONFIG } from '../backend/open-store.js';
import { loadConfig } from '../config/load-config.js';
import { usageError } from '../failure.js';
import type { Host } from '../host.js';
import { configOption, namespaceOption, outputOption } from '../options.js';
import { type Format, note, print, progress } from '../output/print.js';
import { scriptOf } from '../schema/sql.js';

interface MigrateCommandOptions {
  readonly store?: string;
  readonly namespace?: string;
  readonly config?: string;
  readonly dryRun?: boolean;
  readonly output: Format;
}

export function migrate(host: Host): Command {
  return new Command('migrate')
    .description("Make or upgrade a store's tables now, instead of at the first use.")
    .option(
      '--store <url>',
      'sqlite:<path>, postgres://…, mysql://…, redis://…, or config for the one in postern.config (or POSTERN_STORE)',
    )
    .addOption(namespaceOption())
    .addOption(configOption())
    .option(
      '--dry-run',
      'change nothing: print the statements that would run, to review them or to run them as another role',
    )
    .addOption(outputOption())
    .action((options: MigrateCommandOptions) => migrateStore(host, options));
}

async function migrateStore(
  host: Host,
  { store: given, namespace, config: named, dryRun = false, output }: MigrateCommandOptions,
) {
  const url = given ?? host.env.POSTERN_STORE;
  if (!url) throw usageError('there is no store to migrate. Name it with --store');
  const config = url === STORE_OF_CONFIG ? await loadConfig(named) : null;
  const { store, place } = await openStore({ url, namespace, config, make: true });
  const line = progress(host);
  try {
    if (store.migrate === undefined) throw usageError(`${place} makes no tables: there is nothing to migrate`);
    if (!dryRun) line.show(`Migrating ${place} …`);
    const { from, to, statements, differences } = await store.migrate({ dryRun });
    line.end();
    const result = { store: place, from, to, dry_run: dryRun, statements, ...(differences && { differences }) };
    print(host, output, result, () =>
      dryRun ? scriptOf(statements, /^(mysql|mariadb):/i.test(url)) : `${place}: ${done(from, to)}\n`,
    );
    if (!dryRun) return;
    if (differences?.length) note(host, `${place} is of version ${to}, and differs: ${listOf(differences)}.`);
    else if (from === to) note(host, `${place} is current (version ${to}).`);
    else note(host, `${place} would go from version ${from} to ${to}.`);
  } finally {
    line.end();
    await store.close();
  }
}

function done(from: number, to: number): string {
  if (from === to) return `nothing to do, version ${to} is current`;
  return from === 0 ? `made, version ${to}` : `upgraded from version ${from} to ${to}`;
}
