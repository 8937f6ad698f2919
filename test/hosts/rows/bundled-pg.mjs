import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlersOf } from '../lib/bundlers.mjs';

export const host = 'esbuild, Rollup, webpack, Vite SSR';
export const how = 'pg in the bundle, handed over; pg left out, and no node_modules beside it';

/** Nobody listens on port 9: a driver that works says so, one that is not there says that. */
const PROGRAM = (imports, options) => `
import { postgresStore } from 'postern/stores/postgres';
${imports}
const migrate = async () => postgresStore(${options}).migrate();
migrate().then(() => console.log('migrated'), ({ code, message }) => console.log(code + ': ' + message)).finally(() => process.exit());
`;
/** Parts of pg for other places, which a bundler asks for and a server never loads. */
const EXTERNAL = ['pg-native', 'cloudflare:sockets'];
const URL = "'postgres://a:b@127.0.0.1:9/c'";

// pg is CommonJS: in an ES module of esbuild's it needs a `require`, as esbuild's documentation says.
const banner = "import { createRequire as needed } from 'node:module'; const require = needed(import.meta.url);";

export async function run(context) {
  await context.write({
    'inside.mjs': PROGRAM("import pg from 'pg';", `{ pool: new pg.Pool({ connectionString: ${URL} }) }`),
    'outside.mjs': PROGRAM('', `{ connectionString: ${URL} }`),
  });
  const alone = await mkdtemp(join(tmpdir(), 'postern-bundle-'));
  context.onEnd(() => rm(alone, { recursive: true }));
  for (const [bundler, bundle] of await bundlersOf(context.modules)) {
    for (const name of ['inside', 'outside']) {
      for (const format of ['esm', 'cjs']) {
        const file = join(alone, bundler, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`);
        const entry = join(context.folder, `${name}.mjs`);
        await bundle({ entry, file, format, folder: context.folder, external: EXTERNAL, banner });
        const answer = (await context.node([file], { cwd: alone })).stdout.trim();
        // webpack writes down where postern was when it was built. There, on this machine, pg is found.
        const isFound = name === 'inside' || bundler === 'webpack';
        const wanted = isFound ? /ECONNREFUSED/ : /^driver_missing: .*there is no pg here/;
        if (!wanted.test(answer)) throw new Error(`${bundler}, ${name}, ${format}, said: ${answer}`);
      }
    }
  }
  return ['the bundled pg asks for a connection; without one: "there is no pg here", with the line to write'];
}
