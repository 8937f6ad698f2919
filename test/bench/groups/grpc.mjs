import { readFileSync, writeFileSync } from 'node:fs';
import { ratios } from '../lib/figures.mjs';
import { h2load, loadNotes, loadTable, underLoad, unsaturated, withoutTool } from '../lib/load.mjs';

const PATH = '/bench.Summarizer/Summarize';

/** A gRPC message: not compressed, its length, its bytes. */
function frameOf(message) {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.write(message, 5);
  return frame;
}

export async function run(settings) {
  const missing = withoutTool('h2load', settings);
  if (missing !== null) return missing;
  const module = 'servers/grpc.mjs';
  const guarded = { name: 'grpc-js with postern', module, variant: 'guarded' };
  const bare = { name: 'bare grpc-js', module, variant: 'bare', borrows: guarded };
  const bareAgain = { ...bare, name: 'bare grpc-js, again' };
  const idle = { ...bare, name: 'grpc-js, an interceptor that does nothing', variant: 'idle' };
  const servers = [bare, bareAgain, idle, guarded];
  let turn = 0;
  await underLoad(
    servers,
    (server, file, seconds) => {
      const frame = `${file}.frame`;
      writeFileSync(frame, frameOf('summarize this'));
      const tokens = readFileSync(file, 'latin1').trim().split('\n');
      const token = tokens[turn++ % tokens.length];
      const headers = ['content-type: application/grpc', 'te: trailers', `authorization: Bearer ${token}`];
      return h2load(PATH, server, { frame, headers }, seconds);
    },
    settings,
  );

  return {
    tables: [loadTable(servers)],
    notes: [
      ...loadNotes('h2load'),
      'One token a sample, another one for the next: h2load sends the same headers always.',
    ],
    goals: [
      {
        goal: '7',
        what: 'guarded grpc-js, unary: requests/s of bare grpc-js',
        atLeast: 0.95,
        unit: 'x',
        twins: [ratios(bareAgain.rps, bare.rps)],
        doubt: unsaturated(guarded, bare),
        values: ratios(guarded.rps, bare.rps),
      },
      {
        goal: '7',
        what: 'guarded grpc-js, unary: CPU of bare grpc-js',
        atMost: 1.08,
        unit: 'x',
        twins: [ratios(bareAgain.cpu, bare.cpu)],
        values: ratios(guarded.cpu, bare.cpu),
      },
    ],
  };
}
