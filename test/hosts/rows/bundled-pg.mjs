import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const host = 'esbuild';
export const how = 'pg in the bundle, handed over; pg left out, and no node_modules beside it';

/** Nobody listens on port 9: a driver that works says so, one that is not there says that. */
const PROGRAM = (imports, options) => `
import { postgresStore } from 'postern/stores/postgres';
${imports}
const migrate = async () => postgresStore(${options}).migrate();
migrate().then(() => console.log('migrated'), ({ code, message }) => console.log(code + ': ' + message)).finally(() => process.exit());
`;
const URL = "'postgres://a:b@127.0.0.1:9/c'";

export async function run(context) {
  const { build } = createRequire(join(context.modules, 'x.js'))('esbuild');
  await context.write({
    'inside.mjs': PROGRAM("import pg from 'pg';", `{ pool: new pg.Pool({ connectionString: ${URL} }) }`),
    'outside.mjs': PROGRAM('', `{ connectionString: ${URL} }`),
  });
  const alone = await mkdtemp(join(tmpdir(), 'postern-bundle-'));
  context.onEnd(() => rm(alone, { recursive: true }));
  const answers = {};
  for (const name of ['inside', 'outside']) {
    for (const format of ['esm', 'cjs']) {
      const file = `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`;
      const outfile = join(context.folder, 'out', file);
      // pg is CommonJS: in an ES module it needs a `require`, as esbuild's documentation says.
      const banner = {
        js: "import { createRequire as needed } from 'node:module'; const require = needed(import.meta.url);",
      };
      await build({
        entryPoints: [join(context.folder, `${name}.mjs`)],
        outfile,
        bundle: true,
        platform: 'node',
        format,
        external: ['pg-native'],
        logLevel: 'silent',
        ...(format === 'esm' && { banner }),
      });
      await cp(outfile, join(alone, file));
      answers[file] = (await context.node([file], { cwd: alone })).stdout.trim();
    }
  }
  for (const [file, answer] of Object.entries(answers)) {
    const wanted = file.startsWith('inside') ? /ECONNREFUSED/ : /^driver_missing: .*there is no pg here/;
    if (!wanted.test(answer)) throw new Error(`${file} said: ${answer}`);
  }
  return ['the bundled pg asks for a connection; without one: "there is no pg here", with the line to write'];
}
