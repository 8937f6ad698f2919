import { difference, ratios } from '../lib/figures.mjs';
import { loadNotes, loadTable, underLoad, withoutTool, wrk } from '../lib/load.mjs';

const HOSTS = { node: 'node:http', hono: 'Hono', nest: 'Nest', connect: 'Connect' };

export async function run(settings) {
  const missing = withoutTool('wrk', settings);
  if (missing !== null) return missing;
  const module = 'servers/hosts.mjs';
  const hosts = Object.entries(HOSTS).map(([host, name]) => {
    const guarded = { name: `${name} with postern`, module, variant: `${host}-guarded` };
    const bare = { name: `bare ${name}`, module, variant: `${host}-bare`, borrows: guarded };
    return { name, bare, bareAgain: { ...bare, name: `${bare.name}, again` }, guarded };
  });
  const serversOf = ({ bare, bareAgain, guarded }) => [bare, bareAgain, guarded];
  await underLoad(hosts.flatMap(serversOf), (server, file, seconds) => wrk('/', server, file, seconds), settings);

  return {
    tables: hosts.map((host) => loadTable(serversOf(host))),
    notes: loadNotes('wrk'),
    goals: hosts.map(({ name, bare, bareAgain, guarded }) => ({
      goal: '7',
      what: `guarded ${name}: CPU beyond bare`,
      unit: ' µs',
      atMost: 6,
      twins: [ratios(bareAgain.cpu, bare.cpu)],
      values: difference(guarded.cpu, bare.cpu),
    })),
  };
}
