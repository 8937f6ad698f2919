import { verifyHop } from 'postern/gateway';
import { generateKeys } from 'postern/jwt';
import { describe, expect, it } from 'vitest';
import { forwarded, gatewayWorld, ISSUER, PROXY } from './world.js';

const address = PROXY;

describe('the hop of a gateway', () => {
  it('is verified by the service behind', async () => {
    const keys = await generateKeys();
    const { gateway, good, clock } = await gatewayWorld({ hop: { issuer: ISSUER, keys } });
    const call = { method: 'POST', uri: '/v1/summarize?lang=de', token: good };
    const answer = await gateway.fetch(forwarded(call), { address });
    const hop = answer.headers.get('postern-identity') as string;
    const options = { issuer: ISSUER, audience: 'acme/summarizer', jwks: await gateway.jwks(), clock: clock.now };
    const request = new Request('http://10.0.0.9:3000/v1/summarize?lang=fr', {
      method: 'POST',
      headers: { 'postern-identity': hop },
    });
    expect(await verifyHop(request, options)).toEqual({
      iss: ISSUER,
      aud: 'acme/summarizer',
      sub: answer.headers.get('x-postern-token'),
      owner: 'ada',
      organization: 'acme',
      types: ['user'],
      scope: '',
      endpoints: ['summarizer'],
      htm: 'POST',
      htu: 'https://summarizer.acme.cloud.test/v1/summarize',
      iat: clock.now() / 1000,
      exp: clock.now() / 1000 + 30,
    });
    // The same call again: the same hop, until half of its life is over.
    const again = async () => (await gateway.fetch(forwarded(call), { address })).headers.get('postern-identity');
    expect(await again()).toBe(hop);
    clock.advance('15s');
    expect(await again()).not.toBe(hop);
  });

  it('is not made for another caller, method or path out of a kept one', async () => {
    const { gateway, good, token } = await gatewayWorld({ hop: { issuer: ISSUER, keys: await generateKeys() } });
    const other = await token({ endpoints: ['summarizer'], owner: 'bob' });
    const calls = [{ token: good }, { token: other }, { token: good, method: 'PUT' }, { token: good, uri: '/b' }];
    const hops = [];
    for (const each of calls) {
      hops.push((await gateway.fetch(forwarded(each), { address })).headers.get('postern-identity'));
    }
    expect(new Set(hops).size).toBe(4);
  });

  it('is not made if its key is of another algorithm', async () => {
    const keys = await generateKeys({ alg: 'ES256' });
    await expect(gatewayWorld({ hop: { issuer: ISSUER, keys } })).rejects.toMatchObject({ code: 'option_invalid' });
  });
});
