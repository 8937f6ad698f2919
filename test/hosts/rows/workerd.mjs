import { assertSigned, binaryOf, bundle, cellOf, clientOf, versionOf } from '../lib/table.mjs';

const PACKAGES = { x64: '@cloudflare/workerd-linux-64', arm64: '@cloudflare/workerd-linux-arm64' };

export const host = 'workerd';
export const how = 'the HTTP table of cases on fetch and Hono, signed tokens, the memory store; waitUntil';

export async function run(context) {
  const { judge, commandTo } = await clientOf(context);
  await bundle(context, 'worker', true);
  await bundle(context, 'freezing', true);
  const ports = await startWorkers(context, { fetch: 'worker', hono: 'worker', freezing: 'freezing' });
  const cells = {};
  for (const [column, app] of [
    ['Hono', 'hono'],
    ['fetch', 'fetch'],
  ]) {
    const command = commandTo(ports[app]);
    cells[column] = cellOf([await judge(app, { port: ports[app] }, command)]);
    await assertSigned(context, command);
  }
  const [one, two] = [await commandTo(ports.freezing)('/use'), await commandTo(ports.freezing)('/uses')];
  if (one !== 200 || two !== 1) throw new Error(`waitUntil: the call answered ${one}, then ${two} uses were written`);
  return [
    ...context.document(`workerd ${versionOf(context, PACKAGES)}`, { ...cells, 'signed tokens': 'yes' }),
    'waitUntil wrote the use after the response',
  ];
}

/**
 * One process with a worker on a port for each name. Its binding `app` is the name.
 *
 * @param modules the bundle of each name
 */
async function startWorkers(context, modules) {
  const names = Object.keys(modules);
  const services = names.map((name) => `(name = "${name}", worker = .${name})`);
  const sockets = names.map((name) => `(name = "${name}", address = "127.0.0.1:0", http = (), service = "${name}")`);
  const workers = Object.entries(modules).map(
    ([name, module]) => `
const ${name} :Workerd.Worker = (
  modules = [(name = "main", esModule = embed "${module}.mjs")],
  bindings = [(name = "app", text = "${name}")],
  compatibilityDate = "2026-07-01",
  compatibilityFlags = [${name === 'freezing' ? '' : '"nodejs_compat"'}],
);`,
  );
  await context.write({
    'workerd.capnp': `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(', ')},
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [${sockets.join(', ')}],
);
${workers.join('')}
`,
  });
  const lines = names.map((name) => `"socket":"${name}"`);
  const { out } = await context.start(
    binaryOf(context, PACKAGES, 'bin/workerd'),
    ['serve', 'workerd.capnp', '--control-fd=1'],
    { until: new RegExp(lines.join('[\\s\\S]*')) },
  );
  const events = out.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return Object.fromEntries(events.filter(({ event }) => event === 'listen').map(({ socket, port }) => [socket, port]));
}
