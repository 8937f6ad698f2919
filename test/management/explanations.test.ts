import { describe, expect, test } from 'vitest';
import { type World, world } from './world.js';

/** The token of that name in the world. */
const tokenOf = ({ tokens }: World, name: string) => tokens[name]?.token;

describe('explanations over the API', () => {
  const explain = (made: World, json: object, who: object = { token: 'reader' }) =>
    made.ask('/api/v1/explain', { method: 'POST', json, ...who });

  test('tell each step and the remedy', async () => {
    const made = await world();
    const about = { token: tokenOf(made, 'user'), requirement: { endpoint: 'b' } };
    const { body } = await explain(made, about, { token: 'admin' });
    expect(body).toMatchObject({
      allowed: false,
      reason: 'endpoint_not_granted',
      remedy: { types: { user: { endpoints: ['b'] } } },
    });
    expect(body.steps.at(-1)).toMatchObject({ passed: false });
    const asked = { token: tokenOf(made, 'user'), requirement: { endpoint: 'a' } };
    const good = await explain(made, asked, { token: 'admin' });
    expect(good.body).toMatchObject({ allowed: true, reason: null, remedy: null });
    // A caller that may not see endpoints gets the same answer for each name.
    for (const endpoint of ['a', 'b', 'none']) {
      const told = await explain(made, { token: tokenOf(made, 'user'), requirement: { endpoint } });
      expect([told.status, told.body.code]).toEqual([403, 'endpoint_not_granted']);
    }
    expect((await explain(made, { requirement: { scope: 'models:read' } })).body.reason).toBe('token_missing');
    expect((await explain(made, { requirement: { scope: 'models:paint' } })).status).toBe(400);
    expect((await explain(made, { requirement: { authenticated: true } }, { token: 'modeller' })).status).toBe(403);
  });

  test("tell nothing of another organization's token, alive or not", async () => {
    const made = await world();
    await made.postern.tokens.revoke(made.tokens['other-shared']?.id as string);
    await made.postern.tokens.revoke(made.tokens.shared?.id as string);
    for (const name of ['other-user', 'other-shared']) {
      const { body, text } = await explain(made, { token: tokenOf(made, name), requirement: { authenticated: true } });
      expect([body.reason, name]).toEqual(['token_unknown', name]);
      expect(text).not.toContain(made.tokens[name]?.id);
    }
    const own = await explain(made, { token: tokenOf(made, 'shared'), requirement: { authenticated: true } });
    expect(own.body.reason).toBe('token_revoked');
  });
});
