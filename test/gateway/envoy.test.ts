import { endpointFromContext } from 'postern/gateway';
import { describe, expect, it, onTestFinished } from 'vitest';
import { envoyClient, headersOf } from './envoy-client.js';
import { forwarded, gatewayWorld, PROXY } from './world.js';

describe('a gRPC call that is refused', () => {
  const headers = { 'content-type': 'application/grpc+proto' };

  it('has its gRPC status over HTTP, and never 200', async () => {
    const { gateway } = await gatewayWorld();
    const answer = await gateway.fetch(forwarded({ method: 'POST', uri: '/bento.Summarizer/Summarize', headers }), {
      address: PROXY,
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('grpc-status')).toBe('16');
    expect(answer.headers.get('grpc-message')).toBe('This needs a token%2C and none came with the call.');
    expect(answer.headers.get('content-type')).toBe('application/grpc');
    expect(await answer.text()).toBe('');
  });

  it('has it for Envoy, beside the HTTP status', async () => {
    const { gateway } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const call = { method: 'POST', path: '/a.B/C', host: 'nowhere.acme.cloud.test' };
    const grpc = await envoy.check({ ...call, headers: [{ key: 'content-type', value: 'application/grpc' }] });
    expect(grpc.denied_response?.status.code).toBe(404);
    expect(headersOf(grpc.denied_response?.headers ?? [])).toMatchObject({
      'grpc-status': '5',
      'grpc-message': 'There is nothing here.',
    });
    const web = await envoy.check({ ...call, headers: [{ key: 'content-type', value: 'application/grpc-web' }] });
    expect(headersOf(web.denied_response?.headers ?? [])).not.toHaveProperty('grpc-status');
  });
});

describe('Envoy’s question', () => {
  it('is answered with headers that replace the caller’s, and with the removal of aliases', async () => {
    const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const answer = await envoy.check({
      host: 'Summarizer.acme.cloud.test:8443',
      path: '/v1?x=1',
      headers: [
        { key: ':path', value: '/v1?x=1' },
        { key: 'authorization', value: `Bearer ${good}` },
        { key: 'x-postern-owner', value: 'root' },
        { key: 'x_postern_owner', value: 'root' },
        { key: 'x-postern.owner', value: 'root' },
      ],
    });
    expect(answer.status).toEqual({ code: 0, message: '' });
    expect(answer.ok_response?.headers_to_remove.toSorted()).toEqual(['x-postern.owner', 'x_postern_owner']);
    const { headers = [] } = answer.ok_response ?? {};
    expect(headersOf(headers)).toMatchObject({ 'x-postern-owner': 'ada', 'postern-identity': '' });
    for (const each of headers) {
      expect(each).toMatchObject({ append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', keep_empty_value: true });
    }
  });

  it('may name the endpoint in the context extensions', async () => {
    const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'], requirement: endpointFromContext() });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const headers = [{ key: 'authorization', value: `Bearer ${good}` }];
    const code = async (context: Record<string, string>) => (await envoy.check({ headers, context })).status?.code;
    expect(await code({ endpoint: 'summarizer' })).toBe(0);
    expect(await code({ endpoint: 'summarizer', organization: 'acme' })).toBe(0);
    expect(await code({ endpoint: 'summarizer', organization: 'other' })).toBe(5);
    expect(await code({ endpoint: 'metrics' })).toBe(5);
    expect(await code({})).toBe(5);
  });

  it('has the caller’s address: the zone goes by it', async () => {
    const { gateway } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const headers = [{ key: 'x-forwarded-for', value: '10.9.9.9' }];
    const code = async (address: string) =>
      (await envoy.check({ host: 'metrics.acme.cloud.test', address, headers })).status?.code;
    expect(await code('10.1.2.3')).toBe(0);
    expect(await code('203.0.113.9')).toBe(5);
  });
});
