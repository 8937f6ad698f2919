import { postgresRateLimiter, redisRateLimiter } from 'postern/limits';
import { expect, test } from 'vitest';
import { thrown } from '../support/outcomes.js';

test.each([
  ['a pool that is none', () => postgresRateLimiter({ pool: {} as never }), 'option_invalid', 'pool'],
  [
    'a client that is none',
    () => redisRateLimiter({ client: 'redis://localhost' as never }),
    'option_invalid',
    'client',
  ],
  [
    'a schema with a quote in it',
    () => postgresRateLimiter({ pool: { query: async () => {} }, schema: 'a"b' }),
    'option_invalid',
    'schema',
  ],
  [
    'an option that there is not',
    () => redisRateLimiter({ client: {}, prefix: 'x' } as never),
    'option_unknown',
    'prefix',
  ],
])('a limiter refuses %s', (_, make, code, path) => {
  expect(thrown(make)).toMatchObject({ code, path });
});
