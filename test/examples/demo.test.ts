import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, endExamples, runExample, startExample } from './child.js';

const MAIN = 'demo/main.ts';
const TOKEN = /pst_[0-9A-Za-z]{49}/g;

afterEach(endExamples);

/** The parts of the output by the number of their heading. */
function partsOf(output: string): ReadonlyMap<string, string> {
  return new Map(
    output
      .split(/^(?=\d\. )/m)
      .slice(1)
      .map((part) => [part.slice(0, 1), part]),
  );
}

/** The files of the temporary folder without the cache of tsx. */
async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => !file.startsWith('tsx-'));
}

function rowsOf(output: string): Record<string, string>[] {
  const [header = '', ...lines] = (partsOf(output).get('5') ?? '').split('\n').filter((line) => line.includes('\t'));
  const names = header.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, i) => [names[i], cell])));
}

describe('the demo, once, in a pipe', () => {
  let folder: string;
  let ended: Ended;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
    ended = await runExample(MAIN, ['--once'], { TMPDIR: folder });
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('exits with 0, and prints no error', () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('leaves no file', async () => {
    expect(await filesIn(folder)).toEqual([]);
  });

  it('has no unexpected decision', () => {
    const rows = rowsOf(ended.stdout);
    expect(rows.filter(({ expected }) => expected !== 'yes')).toEqual([]);
    expect(ended.stdout).toContain(`All ${rows.length} decisions were the expected ones.`);
  });

  it.each([
    ['Express', '403', '404', '200'],
    ['Fastify', '403', '404', '200'],
    ['gRPC', 'PERMISSION_DENIED', 'NOT_FOUND', 'OK'],
  ])('prints the result of each call in %s', (transport, forbidden, notFound, ok) => {
    const seen = rowsOf(ended.stdout)
      .filter((row) => row.transport === transport)
      .map(({ who, what, reason, status }) => [who, what, reason, status].join(' | '));
    const unauthenticated = transport === 'gRPC' ? 'UNAUTHENTICATED' : '401';
    const created = transport === 'gRPC' ? 'OK' : '201';
    expect(seen).toEqual([
      `user token | call summarizer | - | ${ok}`,
      `no token | call summarizer | token_missing | ${unauthenticated}`,
      `wrong token | call summarizer | token_unknown | ${unauthenticated}`,
      `two tokens | call summarizer | token_malformed | ${transport === 'gRPC' ? 'UNAUTHENTICATED' : '400'}`,
      `developer token | call summarizer | endpoint_not_granted | ${forbidden}`,
      `user token | read models | scope_missing | ${forbidden}`,
      `developer token | read models | - | ${ok}`,
      `developer token | write models | - | ${created}`,
      `both-types token | call summarizer | - | ${ok}`,
      `both-types token | write models | - | ${created}`,
      `no token | call status | - | ${ok}`,
      `no token | call metrics | endpoint_private | ${notFound}`,
      ...(ended.stdout.includes('attempts from inside are left out')
        ? []
        : [`no token, inside | call metrics | - | ${ok}`]),
      `no token | call translator | endpoint_unknown | ${notFound}`,
      // public, private, protected again
      `user token | call summarizer | - | ${ok}`,
      `no token | call summarizer | - | ${ok}`,
      `user token | call summarizer | endpoint_private | ${notFound}`,
      `no token | call summarizer | endpoint_private | ${notFound}`,
      `user token | call summarizer | - | ${ok}`,
      `no token | call summarizer | token_missing | ${unauthenticated}`,
      // deleted
      `both-types token | call summarizer | token_unknown | ${unauthenticated}`,
      `both-types token | write models | token_unknown | ${unauthenticated}`,
    ]);
  });

  it.each([
    ['curl', 'curl is not on this machine'],
    ['python grpc', 'Python has no grpcio here'],
  ])('runs the real client %s too, or says that it is missing', (transport, sentence) => {
    const seen = rowsOf(ended.stdout).filter((row) => row.transport === transport);
    expect(seen).toHaveLength(ended.stdout.includes(sentence) ? 0 : 11);
  });

  it('prints no escape codes', () => {
    expect(ended.stdout).not.toContain('\x1b');
  });

  it('shows each secret at its creation and in the commands to paste, and nowhere else', () => {
    const parts = partsOf(ended.stdout);
    expect([...parts.keys()]).toEqual(['1', '2', '3', '4', '5']);
    const shown = parts.get('2')?.match(TOKEN) ?? [];
    expect(new Set(shown).size).toBe(3);
    expect(shown).toHaveLength(3);
    const [user, developer, both] = shown as [string, string, string];
    const pasted = new Set(parts.get('4')?.match(TOKEN));
    // The token of both types is deleted at the end, so no command uses it.
    expect(pasted).toEqual(new Set([user, developer]));
    expect(pasted).not.toContain(both);
    for (const part of ['1', '3', '5']) expect(parts.get(part)?.match(TOKEN)).toBeNull();
  });
});

describe('the demo, left running', () => {
  it('answers its printed commands, shows the decisions, keeps the database, and exits with 0 on Ctrl-C', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
    try {
      const database = join(folder, 'kept.db');
      const example = startExample(MAIN, ['--database', database], { TMPDIR: folder });
      const [, url] = await example.until(/Express {2}(http:\/\/\S+)/);
      const [, secret] = await example.until(/secret {2}(\S+)/);
      await example.until(/6\. Your turn\n.*\n/);

      const request = { method: 'POST', headers: { authorization: `Bearer ${secret}` } };
      expect((await fetch(`${url}/d/summarizer`, request)).status).toBe(200);
      expect((await fetch(`${url}/api/v1/models`, request)).status).toBe(403);
      await example.until(/allowed {2}token chat-app\n.* denied {3}scope_missing\n/);

      example.signal('SIGINT');
      expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
      expect(await filesIn(folder)).toEqual(['kept.db']);

      // A second run finds the deployments of the first.
      expect((await runExample(MAIN, ['--once', '--database', database], { TMPDIR: folder })).code).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the demo, stopped in the middle', () => {
  it('closes all that it opened, and leaves no file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
    try {
      const example = startExample(MAIN, [], { TMPDIR: folder });
      await example.until(/^user token\t/m);
      example.signal('SIGTERM');
      const { code, stderr } = await example.ended;
      expect(stderr).toBe('');
      // It exits with 0 if its attempts were done before the signal came.
      expect([130, 0]).toContain(code);
      expect(await filesIn(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the options of the demo', () => {
  it('are shown by --help', async () => {
    const { code, stdout } = await runExample(MAIN, ['--help']);
    expect(code).toBe(0);
    for (const option of ['--once', '--database PATH', '--help']) expect(stdout).toContain(option);
  });

  it('are refused if they are unknown', async () => {
    const { code, stdout, stderr } = await runExample(MAIN, ['--twice']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("Unknown option '--twice'");
  });

  it('are refused with an invalid database', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
    try {
      const database = join(folder, 'notes.txt');
      await writeFile(database, 'This is not a database. '.repeat(50));
      const { code, stderr } = await runExample(MAIN, ['--once', '--database', database], { TMPDIR: folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(/\(store_invalid\)\n$/);
      expect(await filesIn(folder)).toEqual(['notes.txt']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
