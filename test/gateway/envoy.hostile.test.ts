import { describe, expect, it, onTestFinished } from 'vitest';
import { type EnvoyClient, envoyClient } from './envoy-client.js';
import { gatewayWorld } from './world.js';

async function envoyOf(...options: Parameters<typeof gatewayWorld>) {
  const world = await gatewayWorld({ trustedProxies: ['127.0.0.1'], ...options[0] });
  const envoy: EnvoyClient = await envoyClient(world.gateway.envoy);
  onTestFinished(() => envoy.close());
  return { ...world, envoy };
}

it('who is no trusted proxy is refused', async () => {
  const { gateway, good } = await gatewayWorld();
  const envoy = await envoyClient(gateway.envoy);
  onTestFinished(() => envoy.close());
  const headers = [{ key: 'authorization', value: `Bearer ${good}` }];
  const answer = await envoy.check({ host: 'summarizer.acme.cloud.test', headers });
  expect(answer).toMatchObject({ status: { code: 7 }, denied_response: { status: { code: 403 } } });
});

it('a :path of Envoy without its leading slash is refused', async () => {
  const { envoy, good } = await envoyOf();
  const headers = [{ key: 'authorization', value: `Bearer ${good}` }];
  const host = 'summarizer.acme.cloud.test';
  const code = async (path: string) => (await envoy.check({ host, headers, path })).denied_response?.status.code;
  expect(await code('/bento.Summarizer/Summarize')).toBeUndefined();
  expect(await code('bento.Summarizer/Summarize')).toBe(400);
  expect(await code('')).toBe(400);
  expect(await code('http://summarizer.acme.cloud.test/x')).toBe(400);
});

it('two credentials in Envoy’s raw headers are refused, and so are bytes that are no text', async () => {
  const { envoy, good } = await envoyOf();
  const host = 'summarizer.acme.cloud.test';
  const authorization = { key: 'authorization', value: `Bearer ${good}` };
  const status = async (...headers: { key: string; value?: string; raw_value?: Buffer }[]) =>
    (await envoy.check({ host, headers })).denied_response?.status.code;
  expect(await status(authorization)).toBeUndefined();
  expect(await status(authorization, authorization)).toBe(400);
  expect(await status(authorization, { key: 'Authorization', value: 'Bearer x' })).toBe(400);
  expect(await status(authorization, { key: 'x', raw_value: Buffer.from([0xff]) })).toBe(400);
  expect(await status(authorization, { key: 'x y', value: 'z' })).toBe(400);
  expect(await status({ key: 'authorization', raw_value: Buffer.from(`Bearer ${good}\u0000`) })).toBe(400);
});

it('a header of a million blanks is read in a moment: an expression would hold the process for hours', async () => {
  const { envoy, good } = await envoyOf();
  const authorization = { key: 'authorization', value: `Bearer ${good}` };
  const headers = [authorization, { key: 'x', value: `a${' '.repeat(1_000_000)}b` }];
  const answer = await envoy.check({ host: 'summarizer.acme.cloud.test', headers });
  expect(answer.status?.code).toBe(0);
});

it('without raw headers, what Envoy may have changed is refused', async () => {
  const { envoy, good } = await envoyOf();
  const host = 'summarizer.acme.cloud.test';
  const status = async (authorization: string) =>
    (await envoy.check({ host, mapped: { authorization } })).denied_response?.status.code;
  expect(await status(`Bearer ${good}`)).toBeUndefined();
  expect(await status(`Bearer ${good},Bearer ${good}`)).toBe(400);
  expect(await status(`Bearer ${good}!`)).toBe(400);
});

describe('messages that are none', () => {
  it.each([
    ['nothing', ''],
    ['a field that ends too soon', '0aff'],
    ['a number without an end', '0affffffffffffffffffffffffff01'],
    ['a group', '0b0c'],
    ['text', Buffer.from('GET / HTTP/1.1').toString('hex')],
    ['a key that is no UTF-8', '0a0822061204120230ff'],
  ])('%s: refused', async (_, hex) => {
    const { envoy } = await envoyOf({ requirement: { public: true } });
    const answer = await envoy.send(Buffer.from(hex, 'hex'));
    expect(answer.status?.code).toBeGreaterThan(0);
    expect(answer.denied_response?.status.code).toBeGreaterThanOrEqual(400);
  });
});

it('a store that is down is 503, never an allow', async () => {
  const { envoy, good, store } = await envoyOf();
  store.failAll(new Error('down'));
  const headers = [{ key: 'authorization', value: `Bearer ${good}` }];
  const answer = await envoy.check({ host: 'summarizer.acme.cloud.test', headers });
  expect(answer).toMatchObject({ status: { code: 14 }, denied_response: { status: { code: 503 } } });
});
