import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { runHere } from './host.js';

const run = promisify(execFile);

describe('completion bash', () => {
  let script: string;
  beforeAll(async () => {
    script = (await runHere(['completion', 'bash'])).stdout;
  });

  /** The suggestions of bash for the last of these words. */
  async function offered(...words: readonly string[]): Promise<string[]> {
    const list = words.map((word) => `'${word}'`).join(' ');
    const ask = `${script}\nCOMP_WORDS=(postern ${list}); COMP_CWORD=${words.length}; _postern; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', ['-u', '-c', ask])).stdout.split('\n').filter((line) => line !== '');
  }

  it('suggests commands and subcommands', async () => {
    expect(await offered('con')).toEqual(['context']);
    expect(await offered('api-token', '')).toEqual(
      expect.arrayContaining(['list', 'create', 'get', 'update', 'rotate', 'revoke', 'delete', 'usage']),
    );
    expect(await offered('endpoint', 'pre')).toEqual(['preview']);
    expect(await offered('context', '')).toEqual(['list', 'use', 'show', 'delete']);
  });

  it('knows aliases and older words, and does not suggest them', async () => {
    expect(await offered('list')).toEqual([]);
    expect(await offered('api-token', 'ls', '--sea')).toEqual(['--search']);
    expect(await offered('current-context', '--show')).toEqual(['--show-token']);
  });

  it('suggests the options of a command, also after other options', async () => {
    expect(await offered('api-token', '--store', 'x', 'rotate', '--gr')).toEqual(['--grace']);
    expect(await offered('serve', '--boot')).toEqual(['--bootstrap-token-file']);
    expect(await offered('serve', '--grace')).toEqual([]);
  });

  it('suggests the choices of an option', async () => {
    expect(await offered('api-token', 'list', '-o', '')).toEqual(['table', 'wide', 'json', 'yaml']);
    expect(await offered('endpoint', 'update', '--access', 'p')).toEqual(['public', 'protected', 'private']);
    expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await offered('serve', '--database', 'package.j')).toEqual(['package.json']);
  });
});

describe.each(['zsh', 'fish'])('completion %s', (shell) => {
  it('names every command and every option', async () => {
    const { code, stdout } = await runHere(['completion', shell]);
    expect(code).toBe(0);
    for (const word of ['api-token', 'rotate', 'endpoint', 'preview', 'current-context', 'completion']) {
      expect(stdout).toContain(word);
    }
    for (const option of ['grace', 'bootstrap-token-file', 'show-token', 'access']) expect(stdout).toContain(option);
  });

  it('quotes its texts', async () => {
    const { stdout } = await runHere(['completion', shell]);
    // There are only single quotes, and all are closed.
    for (const line of stdout.split('\n').filter((each) => !each.startsWith('#'))) {
      expect(line.match(/'/g)?.length ?? 0, line).toSatisfy((count: number) => count % 2 === 0);
    }
  });
});
