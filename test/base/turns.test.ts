import { expect, it } from 'vitest';
import { inItsTurn } from '../../src/base/turns.js';
import { turn } from '../support/lives.js';

/** Work that takes longer than all calls of a turn may. */
function slow(): void {
  const end = performance.now() + 6;
  while (performance.now() < end);
}

it('callers whose work fills every turn do not keep another one waiting for ever', async () => {
  let over = false;
  const greedy = Array.from({ length: 3 }, async () => {
    while (!over) {
      await inItsTurn(slow);
      await inItsTurn(slow);
      await turn();
    }
  });
  await turn();
  let made = 0;
  const other = (async () => {
    for (; made < 3; made++) await inItsTurn(slow);
  })();
  for (let turns = 0; turns < 200 && made < 3; turns++) await turn();
  over = true;
  expect(made).toBe(3);
  await Promise.all([...greedy, other]);
});
