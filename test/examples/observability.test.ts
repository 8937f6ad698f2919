import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { endExamples, startExample } from './child.js';

const run = promisify(execFile);
const FOLDER = new URL('../../examples/observability/', import.meta.url);

afterEach(endExamples);

it('metrics are scraped with the monitoring token alone, as Prometheus does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-metrics-'));
  const tokenFile = join(folder, 'postern.token');
  const example = startExample('observability/main.ts', [], { TOKEN_FILE: tokenFile });
  const [, url, token] = await example.until(/^scope missing: .*?(http:\/\/\S+)\/metrics .*Bearer (pst_\w+)/m);
  const bearer = { authorization: `Bearer ${token}` };
  expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
  const monitoring = await readFile(tokenFile, 'utf8');

  // Prometheus sends `<type> <content of the file>`.
  const { scrape_configs: jobs } = parse(await readFile(new URL('prometheus.yml', FOLDER), 'utf8'));
  const { authorization, metrics_path: path } = jobs[0];
  expect(authorization.credentials_file).toBe('/etc/prometheus/postern.token');
  const scrape = async () => {
    const header = `Authorization: ${authorization.type} ${monitoring}`;
    return (await run('curl', ['-sS', '--fail', '-H', header, `${url}${path}`])).stdout;
  };

  expect((await fetch(`${url}/summarizer`, { method: 'POST', headers: bearer })).status).toBe(200);
  expect((await fetch(`${url}/summarizer`, { method: 'POST' })).status).toBe(401);
  expect((await fetch(`${url}${path}`)).status).toBe(401);
  expect((await fetch(`${url}${path}`, { headers: bearer })).status).toBe(403);
  const stolen = { authorization: `Bearer ${monitoring}` };
  expect((await fetch(`${url}/summarizer`, { method: 'POST', headers: stolen })).status).toBe(403);

  const text = await scrape();
  expect(text).toMatch(/^postern_decisions_total\{.*postern_decision_outcome="allowed".*\} [1-9]/m);
  expect(text).toMatch(/^postern_decisions_total\{.*postern_decision_reason="token_missing".*\} 2$/m);
  expect(text).toMatch(/^postern_verification_duration_bucket\{.*postern_verification_path="cold".*\} \d+$/m);
  expect([monitoring, token].filter((secret) => text.includes(secret as string))).toEqual([]);

  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
  await rm(folder, { recursive: true });
});
