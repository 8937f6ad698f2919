import { serve } from '../lib/child.mjs';
import { load } from '../lib/postern.mjs';
import { createEndpoints, createTokens, ENDPOINT, HOT, warm } from '../lib/tokens.mjs';

/** What every server answers with. */
export const BODY = { ok: true, summary: 'a short text' };

/** postern with hot tokens, as an application has it: every option at its default. */
export async function posternWithTokens() {
  const { createPostern, memoryStore } = await load('index');
  const postern = createPostern({ store: memoryStore() });
  await createEndpoints(postern);
  const credentials = await createTokens(postern, HOT);
  await warm(postern, credentials, ENDPOINT);
  return { postern, credentials };
}

/** Starts what the first argument names; from then on answers what the CPU time of this process is, in microseconds. */
export async function serveVariant(variants) {
  const ready = await variants[process.argv[2]]();
  serve(ready, () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  });
}

/** @throws Error where a call without a credential, or with a wrong one, gets through: a benchmark of no guard */
export async function assertGuarded(port, credential, { path = '/', method, body, type } = {}) {
  const status = async (authorization) => {
    const headers = { ...(authorization && { authorization }), ...(type && { 'content-type': type }) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body, headers });
    await response.arrayBuffer();
    return response.status;
  };
  const statuses = [
    await status(`Bearer ${credential}`),
    await status(`Bearer ${credential.slice(0, -1)}`),
    await status(),
  ];
  const isGuarded = statuses[0] === 200 && statuses.slice(1).every((each) => each === 401 || each === 400);
  if (!isGuarded) throw new Error(`a guarded server answers ${statuses.join(', ')}, not 200, 401, 401`);
}
