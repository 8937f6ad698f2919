import { Command } from 'commander';
import { unpolluted } from '../../base/check.js';
import { escapeInvisible, redact } from '../../domain/text.js';
import { STORE_OF_CONFIG } from '../backend/open-store.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { loadContexts } from '../contexts.js';
import { examineNode } from '../doctor/examine-node.js';
import { examineServer } from '../doctor/examine-server.js';
import { examineStore } from '../doctor/examine-store.js';
import { type Finding, failed, ok } from '../doctor/finding.js';
import { EXIT } from '../exit-codes.js';
import { usageError } from '../failure.js';
import type { Host } from '../host.js';
import { outputOption, withTarget } from '../options.js';
import type { Outcome } from '../outcome.js';
import { type Format, print } from '../output/print.js';
import { paint } from '../output/style.js';
import { effectiveContext, type TargetOptions } from '../target.js';

interface DoctorOptions extends TargetOptions {
  readonly output: Format;
}

const HELP = `
With --store it examines a store, with --context a server. With neither it examines the store that postern.config names and the
server that you are logged in to, as far as there are any. Of a store that is named by its address it sees more than of
--store config: the database's clock, its settings, its file. It changes nothing.
It exits with 1 if there is a problem. Warnings are no problems.`;

export function doctor(host: Host, outcome: Outcome): Command {
  return withTarget(new Command('doctor'))
    .description('Check a setup: the store, its feed and clock, the tokens in it, the server and the login.')
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async ({ output, ...target }: DoctorOptions) => {
      if (target.store !== undefined && target.context !== undefined) {
        throw usageError('--store and --context name two targets. Give one of them');
      }
      const findings: Finding[] = [];
      for await (const finding of examined(host, target)) {
        const shown = { ...finding, message: redact(finding.message) };
        findings.push(shown);
        // As they come, because a silent feed takes seconds to be noticed.
        if (isForPeople(output)) host.stdout.write(inWords(host, shown));
      }
      if (!isForPeople(output)) print(host, output, findings, () => '');
      if (findings.some(({ status }) => status === 'problem')) outcome.exitCode = EXIT.failed;
    });
}

function isForPeople(output: Format): boolean {
  return output !== 'json' && output !== 'yaml';
}

async function* examined(host: Host, target: TargetOptions): AsyncGenerator<Finding> {
  const { context, store, namespace, tokenPrefix } = target;
  yield examineNode();
  const named = store ?? (context === undefined ? host.env.POSTERN_STORE : undefined);
  if (context === undefined) {
    let config: Config | null = null;
    try {
      config = await loadConfig(target.config);
      if (config !== null) yield ok('config', `${config.file} is read`);
    } catch (error) {
      yield failed('config', error, 'Mend it.');
      return;
    }
    const own = config !== null && unpolluted(config.options, 'store') !== undefined ? STORE_OF_CONFIG : undefined;
    const url = named || own;
    if (url) {
      const prefix = tokenPrefix ?? config?.options.tokenPrefix ?? 'pst';
      yield* examineStore(host, { url, namespace, config, tokenPrefix: prefix });
    }
    if (named) return;
    if (!(await isLoggedIn(host))) {
      if (!url) {
        yield ok('target', 'There is nothing more to examine. Name a store with --store, or log in to a server');
      }
      return;
    }
  }
  try {
    const found = await effectiveContext(host, context);
    yield* examineServer(host, found);
  } catch (error) {
    yield failed('login', error, 'postern login --endpoint <url>');
  }
}

async function isLoggedIn(host: Host): Promise<boolean> {
  if (host.env.POSTERN_ENDPOINT || host.env.POSTERN_API_TOKEN) return true;
  return (await loadContexts(host)).current !== null;
}

const STYLES = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

function inWords(host: Host, { check, status, message, next }: Finding): string {
  const text = /[.!?]$/.test(message) ? message : `${message}.`;
  const step = next === null ? '' : `${' '.repeat(9)}→ ${escapeInvisible(next)}\n`;
  return `${paint(host, STYLES[status], status.padEnd(7), 'stdout')}  ${check}: ${escapeInvisible(text)}\n${step}`;
}
