import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVER } from '../lib/snippets.mjs';

export const host = 'the command in CI';
export const how = 'no terminal; a standard input that never ends; inside while read; four logins at once';

export async function run(context) {
  await context.write({ 'server.mjs': SERVER });
  const server = await context.start(process.execPath, ['server.mjs', 'a.db'], { until: /^ready (\d+) (\S+)$/m });
  const [, port, token] = server.match;
  const config = join(context.folder, 'config.yaml');
  const env = {
    POSTERN: `${process.execPath} ${join(context.modules, 'postern/dist/cli/main.js')}`,
    POSTERN_CONFIG: config,
    TOKEN: token,
    URL: `http://127.0.0.1:${port}`,
  };
  const shell = async (script) => (await context.run('bash', ['-euc', script], { env, timeout: 60_000 })).stdout;

  // The pipe has a writer that writes nothing and stays: the loop ends only if the command does not wait for it.
  const derived = await shell(`
    mkfifo never; exec 9<>never
    POSTERN_API_TOKEN=$TOKEN $POSTERN derive --scope models:read -o json <&9
    printf 'models:read\\niam:write\\nmodels:read\\n' | while read -r scope; do
      POSTERN_API_TOKEN=$TOKEN $POSTERN derive --scope "$scope" -o json
    done`);
  const count = derived.match(/"token"/g)?.length;
  if (count !== 4) throw new Error(`${count} tokens were derived, not 4: ${derived}`);

  await shell(`
    for name in a b c d; do
      $POSTERN login --endpoint "$URL" --api-token "$TOKEN" --context "$name" < /dev/null & logins="\${logins-} $!"
    done
    for login in $logins; do wait "$login"; done`);
  const contexts = (await readFile(config, 'utf8')).match(/name: ['"]?[abcd]['"]?$/gm)?.length;
  if (contexts !== 4) throw new Error(`${contexts} contexts are kept, not 4: ${await readFile(config, 'utf8')}`);
  return [
    'derive ends beside an open pipe and leaves the input of a loop alone; four logins at once keep four contexts',
  ];
}
