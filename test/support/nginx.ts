import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.js';
import { freePort } from './services.js';
import { NGINX, requireTool } from './tools.js';

/** Starts nginx with these lines in its `server` block, until the test is over. Resolves with its port. */
export async function startNginx(lines: string): Promise<number> {
  requireTool('nginx');
  const folder = mkdtempSync(join(tmpdir(), 'postern-nginx-'));
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, lines));
  const server = spawn(NGINX, ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  onTestFinished(async () => {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(async () => {
    if (server.exitCode !== null) throw new Error(`nginx did not start:\n${log}`);
    await fetch(`http://127.0.0.1:${port}/nothing`);
  });
  return port;
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

function configuration(folder: string, port: number, lines: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${lines}
  }
}
`;
}
