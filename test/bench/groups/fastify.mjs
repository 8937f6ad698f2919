import { ratios } from '../lib/figures.mjs';
import { loadNotes, loadTable, underLoad, unsaturated, withoutTool, wrk } from '../lib/load.mjs';

export async function run(settings) {
  const missing = withoutTool('wrk', settings);
  if (missing !== null) return missing;
  const module = 'servers/fastify.mjs';
  const guarded = { name: 'Fastify with postern', module, variant: 'guarded' };
  const bearerAuth = { name: '@fastify/bearer-auth, one key', module, variant: 'bearer-auth' };
  const bare = { name: 'bare Fastify', module, variant: 'bare', borrows: guarded };
  const bareAgain = { ...bare, name: 'bare Fastify, again' };
  const jwt = { name: '@fastify/jwt RS256, cache on', module, variant: 'jwt' };
  const servers = [bare, bareAgain, guarded, bearerAuth, jwt];
  await underLoad(servers, (server, file, seconds) => wrk('/', server, file, seconds), settings);

  const rps = { goal: '5', unit: 'x', twins: [ratios(bareAgain.rps, bare.rps)] };
  const cpu = { goal: '5', unit: 'x', twins: [ratios(bareAgain.cpu, bare.cpu)] };
  return {
    tables: [loadTable(servers)],
    notes: loadNotes('wrk'),
    goals: [
      {
        ...rps,
        what: 'guarded Fastify: requests/s of bare Fastify',
        atLeast: 0.93,
        doubt: unsaturated(guarded, bare),
        values: ratios(guarded.rps, bare.rps),
      },
      { ...cpu, what: 'guarded Fastify: CPU of bare Fastify', atMost: 1.07, values: ratios(guarded.cpu, bare.cpu) },
      {
        ...rps,
        what: 'guarded Fastify: requests/s of @fastify/bearer-auth with one key',
        atLeast: 1,
        doubt: unsaturated(guarded, bearerAuth),
        values: ratios(guarded.rps, bearerAuth.rps),
      },
      {
        ...cpu,
        what: 'guarded Fastify: CPU of @fastify/bearer-auth with one key',
        atMost: 1,
        values: ratios(guarded.cpu, bearerAuth.cpu),
      },
    ],
  };
}
