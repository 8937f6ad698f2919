import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { askServer } from './snippets.mjs';

/** An application as Next's own documentation lays one out: the App Router, route handlers, `instrumentation`. */
const FILES = {
  'package.json': { name: 'app', private: true },
  'app/layout.js': `export default ({ children }) => <html lang="en"><body>{children}</body></html>;`,
  'app/page.js': `export default () => <p>hello</p>;`,
  // The recipe for hot reload: a module that is evaluated again finds the instance that is there.
  'lib/postern.js': `import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
export const postern = (globalThis.postern ??= createPostern({ store: sqliteStore({ filename: process.env.DATABASE }) }));`,
  'instrumentation.js': `export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { postern } = await import('./lib/postern');
  const types = { developer: { scopes: ['models:read', 'iam:write'] } };
  const { token } = await postern.tokens.create({ name: 'first', owner: 'ann', types });
  console.log('token ' + token);
}`,
  'app/models/route.js': `import { guard } from 'postern/fetch';
import { postern } from '../../lib/postern';
export const GET = guard(postern, { scope: 'models:read' }, (_, { principal }) => Response.json(principal));`,
  'app/api/[...path]/route.js': `import { managementApi } from 'postern/management';
import { postern } from '../../../lib/postern';
const api = managementApi(postern);
export { api as GET, api as POST, api as PATCH, api as PUT, api as DELETE };`,
};

export async function runNext(context, bundler) {
  const root = JSON.stringify(dirname(context.modules));
  await context.write({
    ...FILES,
    'next.config.mjs': `export default { turbopack: { root: ${root} }, outputFileTracingRoot: ${root} };`,
  });
  const env = { DATABASE: `${context.folder}/a.db`, NODE_ENV: 'production' };
  const built = await context.node([context.bin('next'), 'build', `--${bundler}`], { env });
  const output = `${built.stdout}\n${built.stderr}`;
  if (/warn/i.test(output)) throw new Error(`the build warns:\n${output}`);
  const port = await freePort();
  const args = [context.bin('next'), 'start', '-p', String(port), '-H', '127.0.0.1'];
  const { match } = await context.start(process.execPath, args, {
    until: /^token (\S+)$[\s\S]*Ready|Ready[\s\S]*^token (\S+)$/m,
    env,
  });
  return [
    `builds without a warning; instrumentation makes a token; ${await askServer(`http://127.0.0.1:${port}`, match[1] ?? match[2])}`,
  ];
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
