import { Command, Option } from 'commander';
import type { AuditEntry } from '../../../management/wire/types.js';
import { CHANGE_TYPES, type ChangeType } from '../../../ports/changes.js';
import type { Host } from '../../host.js';
import { outputOption, pastTime, wholeNumber, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { type Column, table } from '../../output/table.js';
import { timesIn } from '../../output/words.js';
import { readPages } from '../../paging.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface ListOptions extends TargetOptions {
  readonly since?: string;
  readonly until?: string;
  readonly actor?: string;
  readonly action?: ChangeType;
  readonly subject?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly output: Format;
}

export function list(host: Host): Command {
  return withTarget(new Command('list').alias('ls'))
    .description('List changes of tokens and endpoints, newest first: who changed what, when and from where.')
    .option('--since <time>', 'only changes from this time on, such as 7d (ago) or 2026-01-31T12:00:00Z')
    .option('--until <time>', 'only changes before this time')
    .option('--actor <name>', 'only changes by this owner or token id, or by the "application": the whole name')
    .addOption(new Option('--action <type>', 'only changes of this kind').choices(CHANGE_TYPES))
    .option('--subject <id>', 'only changes of this token or endpoint')
    .addOption(new Option('--limit <count>', 'the most to list').argParser(wholeNumber(1, 1_000_000)).default(100))
    .option('--all', 'list all of them')
    .addOption(outputOption())
    .action(({ since, until, actor, action, subject, limit, all, output, ...target }: ListOptions) => {
      const filter = {
        type: action,
        subject,
        actor,
        since: pastTime(since, '--since', host.clock()),
        until: pastTime(until, '--until', host.clock()),
      };
      const most = all ? Number.POSITIVE_INFINITY : limit;
      return withBackend(host, target, async (backend) => {
        const { items, more } = await readPages(host, most, (page) => backend.listChanges({ ...filter, ...page }));
        print(host, output, items, () => table(host, output, columns(output, host.clock()), items));
        if (more)
          note(host, `There are more than these ${items.length}: --all shows them, --since and --until limit them.`);
        if (items.length === 0) note(host, 'There are none.');
      });
    });
}

function columns(output: Format, now: number): readonly Column<AuditEntry>[] {
  const time = timesIn(output, now);
  return [
    { heading: 'WHEN', cell: ({ at }) => time(at, '-') },
    {
      heading: 'ACTION',
      cell: ({ type }) => type,
      style: ({ type }) => (/\.(revoked|deleted)$/.test(type) ? 'red' : null),
    },
    { heading: 'SUBJECT', cell: ({ subject }) => subject },
    { heading: 'NAME', cell: nameOf, least: 12, rank: 2 },
    {
      heading: 'ACTOR',
      cell: ({ actor }) => (actor.kind === 'application' ? 'application' : (actor.owner ?? actor.token_id)),
      least: 8,
    },
    { heading: 'FROM', cell: ({ from }) => from, rank: 1 },
  ];
}

/** The name of a token at that time. */
function nameOf({ before, after }: AuditEntry): string | null {
  const { name } = (after ?? before ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : null;
}
