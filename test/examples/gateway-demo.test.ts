import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { requireTool } from '../support/tools.js';
import { endExamples, runExample, startExample } from './child.js';

const MAIN = 'gateway-demo/main.ts';

afterEach(endExamples);

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The files of the temporary folder without the cache of tsx. */
async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => !file.startsWith('tsx-'));
}

it('the demo of the gateway, once: every call of curl and of Python has the expected outcome, and no file is left', async () => {
  for (const tool of ['nginx', 'curl', 'gRPC for Python']) requireTool(tool);
  const folder = await emptyFolder();
  const { code, stdout, stderr } = await runExample(MAIN, ['--once'], { TMPDIR: folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rows = stdout.split('\n').map((line) => line.split('\t').slice(0, -1).join(' | '));
  for (const row of [
    'user token | call summarizer | curl | allowed | - | 200',
    'user token | call summarizer | python grpc | allowed | - | OK',
    'no token | call summarizer | curl | denied | token_missing | 401',
    'no token | call summarizer | python grpc | denied | token_missing | UNAUTHENTICATED',
    'developer token | call summarizer | python grpc | denied | endpoint_not_granted | PERMISSION_DENIED',
    'no token | call status | curl | allowed | - | 200',
    'no token | call metrics | python grpc | denied | endpoint_private | NOT_FOUND',
    'notebook token | call summarizer | curl | denied | token_revoked | 401',
    'notebook token | call summarizer | python grpc | denied | token_revoked | UNAUTHENTICATED',
  ]) {
    expect(rows).toContain(row);
  }
  expect(stdout).toContain('X-Postern-Owner: user\n');
  expect(stdout).toContain('Authorization: (none');
  expect(stdout).toContain('answered before the revocation yes, and after it yes.');
  expect(await filesIn(folder)).toEqual([]);
});

it('the demo of the gateway ends on Ctrl-C with 0, and leaves no file', async () => {
  for (const tool of ['nginx', 'curl', 'gRPC for Python']) requireTool(tool);
  const folder = await emptyFolder();
  const example = startExample(MAIN, [], { TMPDIR: folder });
  await example.until(/5\. Your turn\n.*\n/);
  example.signal('SIGINT');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await filesIn(folder)).toEqual([]);
});

it('the options of the demo of the gateway are shown by --help, and refused if they are unknown', async () => {
  expect(await runExample(MAIN, ['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('--once') });
  expect(await runExample(MAIN, ['--twice'])).toMatchObject({ code: 2, stdout: '' });
});
