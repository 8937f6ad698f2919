import { difference, ratios } from '../lib/figures.mjs';
import { loadNotes, loadTable, underLoad, unsaturated, withoutTool, wrk } from '../lib/load.mjs';

export async function run(settings) {
  const missing = withoutTool('wrk', settings);
  if (missing !== null) return missing;
  const module = 'servers/express.mjs';
  const guarded = { name: 'Express with postern', module, variant: 'guarded' };
  const oauth2 = { name: 'express-oauth2-jwt-bearer RS256', module, variant: 'oauth2' };
  const bare = { name: 'bare Express', module, variant: 'bare', borrows: guarded };
  const bareAgain = { ...bare, name: 'bare Express, again' };
  const next = { ...bare, name: 'Express, a middleware that only calls next', variant: 'next' };
  const servers = [bare, bareAgain, next, guarded, oauth2];
  await underLoad(servers, (server, file, seconds) => wrk('/', server, file, seconds), settings);

  const twins = [ratios(bareAgain.rps, bare.rps)];
  return {
    tables: [loadTable(servers)],
    notes: loadNotes('wrk'),
    goals: [
      {
        goal: '6',
        what: 'guarded Express: requests/s of bare Express',
        atLeast: 0.92,
        unit: 'x',
        twins,
        doubt: unsaturated(guarded, bare),
        values: ratios(guarded.rps, bare.rps),
      },
      {
        goal: '6',
        what: 'guarded Express: requests/s of express-oauth2-jwt-bearer',
        atLeast: 2,
        unit: 'x',
        twins,
        doubt: unsaturated(guarded, oauth2),
        values: ratios(guarded.rps, oauth2.rps),
      },
      {
        goal: '6',
        what: 'guarded Express: CPU beyond a middleware that only calls next',
        atMost: 4,
        unit: ' µs',
        twins: [ratios(bareAgain.cpu, bare.cpu)],
        values: difference(guarded.cpu, next.cpu),
      },
    ],
  };
}
