import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { freePort } from '../support/services.js';
import { run } from './run.js';

const { alone, tarball } = inject('installed');
const COMMAND = join(alone, 'node_modules/postern/dist/cli/main.js');

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-init-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a command line in a shell, until the test is over. Resolves once its output matches. */
async function started(line: string, folder: string, env: Record<string, string>, pattern: RegExp): Promise<void> {
  const child = spawn('sh', ['-c', line], { cwd: folder, env: { ...process.env, ...env }, detached: true });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    // With the processes that npm started.
    process.kill(-(child.pid as number), 'SIGTERM');
    await once(child, 'exit');
  });
  await new Promise<void>((resolve, reject) => {
    let output = '';
    const read = (text: string) => {
      output += text;
      if (pattern.test(output)) resolve();
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('exit', () => reject(new Error(`it ended:\n${output}`)));
  });
}

describe('postern init', () => {
  it.each(['express', 'fastify', 'hono', 'nest'])(
    'makes a %s example that runs with the printed commands',
    async (framework) => {
      const folder = await emptyFolder();
      // What npm init makes; Fastify's is in an empty folder.
      if (framework !== 'fastify') await writeFile(join(folder, 'package.json'), '{\n\t"type": "commonjs"\n}\n');
      const printed = await run(process.execPath, [COMMAND, 'init', '--framework', framework], folder);
      const lines = printed.split('\n').map((line) => line.trim());
      const [install, start] = lines.slice(lines.indexOf('Next:') + 1);
      const [create, ...calls] = lines.filter((line) => /^(TOKEN=|curl )/.test(line));
      expect({ install, start, calls: calls.length }).toEqual({ install: 'npm install', start: 'npm start', calls: 2 });

      const manifest = join(folder, 'package.json');
      const text = await readFile(manifest, 'utf8');
      // It is not published yet.
      await writeFile(manifest, text.replace(/"postern": "[^"]+"/, `"postern": ${JSON.stringify(`file:${tarball}`)}`));
      await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], folder);
      await run('npx', ['tsc', '-p', '.'], folder);
      const port = String(await freePort());
      await started(start as string, folder, { PORT: port }, /Listening on/);
      const script = [create, ...calls].join('\n').replaceAll(':3000', `:${port}`);
      const answers = await run('bash', ['-ec', script], folder);
      expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['401', '200']);
      expect(answers).toContain('{"notes":[],"owner":"me"}');
    },
    // It installs everything that a framework brings.
    600_000,
  );
});
