import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { testClock } from 'postern/testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { runHere } from '../host.js';

const FORM = '[{ pattern: /^old-\\\\d{1,6}-[0-9a-f]{32}$/ }]';
const secretOf = (number: number) => `old-${number}-${'ab'.repeat(16)}`;
const digestOf = (number: number) => createHash('sha256').update(secretOf(number)).digest('hex');
const rowOf = (number: number, more: object = {}) => ({
  digest: digestOf(number),
  name: `key ${number}`,
  owner: 'ada',
  types: { developer: { scopes: ['models:read'] } },
  ...more,
});

let folder: string;
let target: readonly string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-import-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = await put(
    'postern.config.mjs',
    `export default { importedTokens: ${FORM.replaceAll('\\\\', '\\')} };`,
  );
  const filename = join(folder, 'app.db');
  const store = sqliteStore({ filename });
  await store.migrate();
  await store.close();
  target = ['--store', `sqlite:${filename}`, '--config', config];
});

async function put(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

const ndjson = (rows: readonly unknown[]) =>
  put('rows.ndjson', rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''));

const run = (file: string, ...more: string[]) => runHere(['api-token', 'import', file, ...target, ...more]);

async function listed() {
  const { stdout } = await runHere(['api-token', 'list', '--all', ...target, '-o', 'json']);
  return JSON.parse(stdout) as { name: string; owner: string | null; expired_at: string | null }[];
}

describe('api-token import', () => {
  test('imports every row, and the tokens work', async () => {
    const rows = Array.from({ length: 600 }, (_, number) => rowOf(number));
    expect(await run(await ndjson(rows))).toMatchObject({
      code: 0,
      stdout: '600 imported, 0 already there, 0 expired and left out, 0 not imported\n',
      stderr: '',
    });
    const [pattern] = [/^old-\d{1,6}-[0-9a-f]{32}$/];
    const postern = createPostern({
      store: sqliteStore({ filename: join(folder, 'app.db') }),
      importedTokens: [{ pattern }],
    });
    const { allowed } = await postern.authorize({ token: secretOf(599), requirement: { scope: 'models:read' } });
    await postern.close();
    expect(allowed).toBe(true);
  });

  test('can be run again: the tokens that are there are counted and left as they are', async () => {
    await run(await ndjson([rowOf(1), rowOf(2)]));
    const again = await run(
      await ndjson([rowOf(1, { name: 'another name' }), rowOf(2), rowOf(3), rowOf(3)]),
      '-o',
      'json',
    );
    expect(JSON.parse(again.stdout)).toEqual({ dry_run: false, imported: 1, already: 3, expired: 0, bad: 0 });
    expect((await listed()).map(({ name }) => name).sort()).toEqual(['key 1', 'key 2', 'key 3']);
  });

  test('a dry run says the same, and writes nothing', async () => {
    await run(await ndjson([rowOf(1)]));
    const file = await ndjson([rowOf(1), rowOf(2), rowOf(2), rowOf(3, { types: { developer: { scopes: ['no'] } } })]);
    const dry = await run(file, '--dry-run', '-o', 'json');
    expect(dry.code).toBe(1);
    expect(JSON.parse(dry.stdout)).toEqual({ dry_run: true, imported: 1, already: 2, expired: 0, bad: 1 });
    expect(await listed()).toHaveLength(1);
    const real = await run(file, '-o', 'json');
    expect(JSON.parse(real.stdout)).toEqual({ ...JSON.parse(dry.stdout), dry_run: false });
  });

  test('bad rows stop no other: each is named by its line, kept with its reason, and the exit code is 1', async () => {
    const bad = ['{"digest":', '[]', { ...rowOf(4), digest: 'not hexadecimal' }, { ...rowOf(5), nmae: 'x' }];
    const file = await ndjson([rowOf(1), ...bad, rowOf(2), rowOf(6, { expiresAt: '2001-01-01' })]);
    const errors = join(folder, 'errors.ndjson');
    const ended = await run(file, '--errors', errors);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toBe('2 imported, 0 already there, 1 expired and left out, 4 not imported\n');
    expect([...ended.stderr.matchAll(/^Line (\d+):/gm)].map(([, line]) => line)).toEqual(['2', '3', '4', '5', '7']);
    expect(ended.stderr).toMatch(/^Line 2: .*\nLine 3: .*\nLine 4: .*digest.*\nLine 5: .*nmae.*\nLine 7: /);
    expect(ended.stderr).toContain(`postern: 4 rows were not imported: ${errors} has them.`);
    expect((await stat(errors)).mode & 0o777).toBe(0o600);
    const kept = (await readFile(errors, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(kept.map(({ line }) => line).sort()).toEqual([2, 3, 4, 5, 7]);
    const row = kept.find(({ line }) => line === 4)?.row as string;
    expect(JSON.parse(row)).toEqual(bad[2]);
    expect(await run(file, '--errors', errors)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is there already'),
    });
  });

  test('reads CSV: columns by name, JSON in those that are no texts, times as UTC', async () => {
    const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const types = cell(JSON.stringify({ developer: { scopes: ['models:read'] } }));
    const lines = [
      'name,digest,types,owner,expiresAt,metadata',
      `${cell('one,\n"two"')},${digestOf(1)},${types},ada,2030-01-31 12:00:00,`,
      `second,${digestOf(2)},${types},,,${cell('{"team":"nlp"}')}`,
      `third,${digestOf(3)},${types}`,
      `fourth,${digestOf(4)},{},ada,,{`,
    ];
    const ended = await run(await put('rows.csv', `${lines.join('\r\n')}\r\n`));
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringMatching(/^2 imported, .* 2 not imported\n$/) });
    expect(ended.stderr).toMatch(
      /Line 5: it has 3 cells, and there are 6 columns\nLine 6: it has a quote|Line 6: metadata is not JSON/,
    );
    const tokens = await listed();
    expect(tokens.map(({ name }) => name).sort()).toEqual(['one,\n"two"', 'second']);
    expect(tokens.find(({ owner }) => owner === 'ada')?.expired_at).toBe('2030-01-31T12:00:00.000Z');
    const wrong = await run(await put('wrong.csv', 'digest,token\n'));
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('"token"') });
  });

  test('reads stdin, and shows its progress on a terminal only', async () => {
    const input = Array.from({ length: 300 }, (_, number) => `${JSON.stringify(rowOf(number))}\n`).join('');
    const piped = await runHere(['api-token', 'import', '-', ...target], { input });
    expect(piped).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^300 imported/) });
    const clock = testClock();
    const now = () => {
      clock.advance(50);
      return clock.now();
    };
    const file = await ndjson(Array.from({ length: 300 }, (_, number) => rowOf(number)));
    const shown = await runHere(['api-token', 'import', file, ...target], { terminal: true, clock: { ...clock, now } });
    expect(shown.stdout).toMatch(/^0 imported, 300 already there/);
    expect(shown.stderr).toMatch(/\r.*200 rows, \d+ rows\/s, done (in|now)[^\r]* …/);
  });

  test('is refused on a server, and for a store whose services would not know the tokens', async () => {
    const file = await ndjson([rowOf(1)]);
    const env = { POSTERN_ENDPOINT: 'http://127.0.0.1:1', POSTERN_API_TOKEN: 'pst_x' };
    const served = await runHere(['api-token', 'import', file], { env });
    expect(served).toMatchObject({ code: 1, stderr: expect.stringContaining('--store') });
    const config = await put('none.config.mjs', 'export default {};');
    const unknown = await runHere(['api-token', 'import', file, ...target.slice(0, 2), '--config', config]);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('importedTokens') });
    expect(await listed()).toEqual([]);
  });
});
