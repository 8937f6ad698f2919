import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../domain/duration.js';
import { ACCESS } from '../domain/endpoint.js';
import { usageError } from './failure.js';
import { FORMATS } from './output/print.js';

/** Options that several commands share. */

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'the output format; wide: a table with all columns and exact times')
    .choices(FORMATS)
    .default('table');
}

const TARGET = 'Target:';

/** Adds the options that choose a server or a store. They are listed together, after the command's own. */
export function withTarget(command: Command): Command {
  const options = [
    new Option('--context <name>', 'the server of this context, instead of the current one'),
    new Option(
      '--store <url>',
      'a store, without a server: sqlite:<path>, postgres://…, mysql://…, redis://…, or config for the one in postern.config (or POSTERN_STORE, which keeps a password off the command line)',
    ),
    new Option('--organization <name>', 'with --store: the organization (default: default)'),
    namespaceOption(),
    new Option('--token-prefix <prefix>', 'with --store: the prefix of its tokens (default: pst)'),
    configOption(),
  ];
  for (const option of options) command.addOption(option.helpGroup(TARGET));
  return command;
}

/** Of every command that works on a store, like {@link configOption}. */
export function namespaceOption(): Option {
  return new Option(
    '--namespace <name>',
    "with --store: PostgreSQL's schema, the prefix of SQLite's or MySQL's tables, or that of Redis' keys (default: the store's own)",
  );
}

export function configOption(): Option {
  return new Option(
    '--config <path>',
    "with --store: the file that exports the options of the application's createPostern (default: postern.config.ts, .js, .mjs or .cjs, here or above)",
  );
}

/** Whether an option chooses the server or the store. */
export function isTargetOption({ helpGroupHeading }: Option): boolean {
  return helpGroupHeading === TARGET;
}

export function tokenFileOption(): Option {
  return new Option('--token-file <path>', 'read the token from a file; - is stdin');
}

export function yesOption(): Option {
  return new Option('-y, --yes', 'do not ask; required without a terminal');
}

export function accessOption(): Option {
  return new Option(
    '--access <access>',
    'public: anyone may call it; protected: only with a token that reaches it; private: nobody from outside',
  ).choices(ACCESS);
}

/** `a,b --x c` → `['a', 'b', 'c']`. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [
    ...(before ?? []),
    ...value
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  ];
}

export function durationArgument(value: string): string {
  if ((parseDuration(value) ?? 0) > 0) return value;
  throw new InvalidArgumentError('Give a duration such as 30s, 15m, 1h or 90d.');
}

export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

/** `team=nlp` → an entry. */
export function label(
  value: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = value.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Give <key>=<value>.');
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}

export interface ExpiryOptions {
  readonly expiresIn?: string | undefined;
  readonly expiresAt?: string | undefined;
}

export function withExpiry(command: Command, none: string): Command {
  return command
    .addOption(
      new Option('--expires-in <duration>', `its life, such as 12h or 90d; ${none}`).argParser((value) =>
        value === 'never' ? value : durationArgument(value),
      ),
    )
    .addOption(
      new Option(
        '--expires-at <time>',
        'its end, such as 2027-01-31 or 2027-01-31T12:00:00Z; without an offset it is UTC',
      ).conflicts('expiresIn'),
    );
}

/** The end of a token; `null`: never; `undefined`: not given. */
export function expiryOf({ expiresIn, expiresAt }: ExpiryOptions, now: number): Date | null | undefined {
  if (expiresIn === 'never' || expiresAt === 'never') return null;
  if (expiresIn !== undefined) return new Date(now + (parseDuration(expiresIn) as number));
  if (expiresAt === undefined) return undefined;
  const date = readTime(expiresAt, '--expires-at');
  if (date.getTime() <= now)
    throw usageError(`--expires-at ${date.toISOString()} is not in the future. Give a later time`);
  return date;
}

/** ISO 8601, or the same with a space. Without an offset it is UTC, whatever this machine's time zone. */
function readTime(text: string, option: string): Date {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text.trim());
  const date = new Date(match ? `${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}` : Number.NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw usageError(`${option} is not a time. Give one such as 2027-01-31 or 2027-01-31T12:00:00Z`);
}

/** A past time: a duration before now, or a time. */
export function pastTime(text: string | undefined, option: string, now: number): Date | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  return duration === null ? readTime(text, option) : new Date(now - duration);
}

export interface LimitOptions {
  readonly rateLimit?: Limit | 'none' | undefined;
  readonly quota?: Limit | 'none' | undefined;
}

interface Limit {
  readonly points: number;
  readonly length: string;
}

/** @param none what `none` does; `undefined`: it is not taken */
export function withLimits(command: Command, none?: string): Command {
  const about = none === undefined ? '' : `; none: ${none}`;
  return command
    .addOption(
      new Option('--rate-limit <calls/time>', `calls in a window of time, such as 100/1m${about}`).argParser(
        limit(none !== undefined),
      ),
    )
    .addOption(
      new Option('--quota <calls/time>', `calls until all come back, such as 100000/30d${about}`).argParser(
        limit(none !== undefined),
      ),
    );
}

function limit(mayBeNone: boolean) {
  return (value: string): Limit | 'none' => {
    if (mayBeNone && value === 'none') return value;
    const [, points, length = ''] = /^(\d{1,10})\/(\w+)$/.exec(value) ?? [];
    if (Number(points) > 0 && (parseDuration(length) ?? 0) > 0) return { points: Number(points), length };
    throw new InvalidArgumentError('Give <calls>/<time>, such as 100/1m.');
  };
}

/** `null`: none; `undefined`: not given. */
export function limitsOf({ rateLimit, quota }: LimitOptions) {
  return {
    rateLimit: rateLimit === 'none' ? null : rateLimit && { points: rateLimit.points, duration: rateLimit.length },
    quota: quota === 'none' ? null : quota && { points: quota.points, refill: quota.length },
  };
}
