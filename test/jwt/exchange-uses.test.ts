import { memoryRateLimiter } from 'postern';
import { expect, it } from 'vitest';
import { refusal } from '../support/outcomes.js';
import { issueBoth, issuerWorld } from './support/access.js';

it('an exchange counts as a use of the token', async () => {
  const world = issuerWorld();
  const { token, record } = await issueBoth(world);
  await world.signed.exchange(world.postern, token);
  await world.postern.flush();
  expect(await world.postern.tokens.usage(record.id)).toMatchObject([{ endpoint: null, count: 1 }]);
});

it.each([
  ['a quota', { quota: { points: 3, refill: '30d' } }],
  ['a rate limit', { rateLimit: { points: 3, duration: '1m' } }],
])('a token with %s is not exchanged: nobody elsewhere would hear of it', async (_, limits) => {
  const world = issuerWorld({}, { rateLimiter: memoryRateLimiter() });
  const { token } = await issueBoth(world, limits);
  expect(await refusal(world.signed.exchange(world.postern, token))).toMatchObject({ code: 'issuance_forbidden' });
});
