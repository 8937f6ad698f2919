import { metadataUrl, type ResourceMetadataOptions, resourceMetadata } from 'postern/jwt';
import { describe, expect, it } from 'vitest';
import { thrown } from '../support/outcomes.js';

const OPTIONS = { resource: 'https://api.example/mcp', authorizationServers: ['https://login.example'] };
const ask = (options: ResourceMetadataOptions, method = 'GET') =>
  resourceMetadata(options)(new Request(metadataUrl(options.resource), { method }));

describe('metadataUrl', () => {
  it.each([
    ['https://api.example', 'https://api.example/.well-known/oauth-protected-resource'],
    ['https://api.example/', 'https://api.example/.well-known/oauth-protected-resource'],
    ['https://api.example/mcp', 'https://api.example/.well-known/oauth-protected-resource/mcp'],
    ['https://api.example/a/b/', 'https://api.example/.well-known/oauth-protected-resource/a/b/'],
    ['https://api.example?tenant=1', 'https://api.example/.well-known/oauth-protected-resource?tenant=1'],
    ['https://api.example:8443/a?b=c', 'https://api.example:8443/.well-known/oauth-protected-resource/a?b=c'],
    ['http://127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp'],
  ])('of %s is %s (RFC 9728 section 3.1)', (resource, url) => {
    expect(metadataUrl(resource)).toBe(url);
  });

  it.each(['http://api.example', 'https://api.example/#part', 'https://me@api.example', 'api.example', ''])(
    'refuses %s',
    (resource) => {
      expect(thrown(() => metadataUrl(resource))).toMatchObject({ code: 'option_invalid', path: 'resource' });
    },
  );
});

describe('resourceMetadata', () => {
  it('names the issuers of a resource, and omits options that are missing (RFC 9728 section 2)', async () => {
    const response = ask(OPTIONS);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await response.json()).toEqual({
      resource: 'https://api.example/mcp',
      authorization_servers: ['https://login.example'],
      bearer_methods_supported: ['header'],
    });
  });

  it('has every given option', async () => {
    const response = ask({
      ...OPTIONS,
      scopes: ['models:read'],
      name: 'Models',
      documentation: 'https://docs.example',
      dpopAlgorithms: ['ES256'],
      dpopRequired: true,
    });
    expect(await response.json()).toEqual({
      resource: 'https://api.example/mcp',
      authorization_servers: ['https://login.example'],
      scopes_supported: ['models:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Models',
      resource_documentation: 'https://docs.example',
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
    });
  });

  it('is served to any origin with a cache time of an hour, for GET only', async () => {
    const get = ask(OPTIONS);
    expect(get.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(get.headers.get('Cache-Control')).toBe('public, max-age=3600');
    const head = ask(OPTIONS, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    const preflight = ask(OPTIONS, 'OPTIONS');
    expect([preflight.status, preflight.headers.get('Access-Control-Allow-Headers')]).toEqual([204, '*']);
    const post = ask(OPTIONS, 'POST');
    expect([post.status, post.headers.get('Allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it.each<[string, object, string]>([
    ['no resource', { resource: undefined }, 'resource'],
    ['a resource over http', { resource: 'http://api.example' }, 'resource'],
    ['no issuers', { authorizationServers: [] }, 'authorizationServers'],
    ['an issuer over http', { authorizationServers: ['http://login.example'] }, 'authorizationServers.0'],
    ['a script address as documentation', { documentation: 'javascript:alert(1)' }, 'documentation'],
    ['scopes in a text', { scopes: 'models:read' }, 'scopes'],
  ])('refuses %s', (_, wrong, path) => {
    const options = { ...OPTIONS, ...wrong } as ResourceMetadataOptions;
    expect(thrown(() => resourceMetadata(options))).toMatchObject({ code: 'option_invalid', path });
  });

  it('refuses unknown options', () => {
    const options = { ...OPTIONS, scope: 'models:read' };
    expect(thrown(() => resourceMetadata(options))).toMatchObject({ code: 'option_unknown', path: 'scope' });
  });
});
