import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../src/cli/examples.js';
import type { Host } from '../../src/cli/host.js';
import { program } from '../../src/cli/program.js';
import { runHere } from './host.js';

const folder = mkdtempSync(join(tmpdir(), 'postern-examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

const host = { env: {}, stdout: { write() {} }, stderr: { write() {} }, clock: () => 0 } as unknown as Host;
const theProgram = () => program(host, { exitCode: 0 });

/** The words of each command that does something, without `postern`. */
function leaves(command: Command, path: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
}

const COMMANDS = leaves(theProgram());

/** The words that a shell gives to `postern` on this line. */
function wordsOf(line: string): readonly string[] {
  const file = join(folder, 'words');
  const script = `exec 9>'${file}'; postern() { printf '%s\\0' "$@" >&9; }; jq() { :; }; fpath=(x x); HOME='${folder}'; cd '${folder}'; mkdir -p .local/share/bash-completion/completions .config/fish/completions x; ${line}`;
  execFileSync('bash', ['-c', script], { stdio: 'ignore' });
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}

/** The command that the real parser finds for these words. Nothing is run. */
async function parsed(words: readonly string[]): Promise<string> {
  let found = '';
  const root = theProgram();
  const stub = (command: Command, path: readonly string[]) => {
    if (command.commands.length === 0) {
      command.action(() => {
        found = path.join(' ');
      });
    }
    for (const each of command.commands) stub(each, [...path, each.name()]);
  };
  stub(root, []);
  await root.parseAsync([...words], { from: 'user' });
  return found;
}

describe('the examples', () => {
  it('are there for every command, and for no other', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual([...COMMANDS].sort());
  });

  it.each(COMMANDS)('of postern %s are in its help', async (command) => {
    const { stdout } = await runHere([...command.split(' '), '--help']);
    const [, section = ''] = stdout.split('\nExamples:\n');
    for (const { line, about } of EXAMPLES[command] ?? []) expect(section).toContain(`  # ${about}\n  ${line}\n`);
  });

  it.each(Object.entries(EXAMPLES).flatMap(([command, all]) => all.map(({ line }) => [line, command] as const)))(
    '%s',
    async (line, command) => {
      expect(await parsed(wordsOf(line))).toBe(command);
    },
  );

  it('would be refused by the parser if an option were wrong', async () => {
    await expect(parsed(['serve', '--prot', '1'])).rejects.toThrow('unknown option');
  });
});
