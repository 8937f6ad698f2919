import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { createPostern } from 'postern';
import { guard } from 'postern/grpc';
import { sqliteStore } from 'postern/stores/sqlite';
import { expect, it } from 'vitest';
import { bearer, call, insecure, startServer } from '../transports/grpc/harness.js';
import { theCommand } from './command.js';
import { served } from './server.js';

const postern = theCommand();

/** A line for a shell from the page. */
async function shell(line: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', line], {
    env: { PATH: process.env.PATH, ...env } as NodeJS.ProcessEnv,
  });
  return stdout;
}

it('the steps of the page "Manage Access Tokens" work', async () => {
  const server = await served(postern, 'seed.db');
  const create = async (body: object) => {
    const answer = await server.call('POST', '/api/v1/api_tokens', { body });
    return (await answer.json()) as { uid: string; token: string };
  };

  // Creating an API token, like the console.
  const developer = await create({
    name: 'developer',
    description: 'for the command line',
    scopes: ['api', 'read_organization'],
  });
  const user = await create({ name: 'user', description: 'for the app', types: { user: { endpoints: ['demo'] } } });
  expect([developer.token, user.token]).toEqual([expect.stringMatching(/^pst_/), expect.stringMatching(/^pst_/)]);
  const listed = await (await server.call('GET', '/api/v1/api_tokens?start=0&count=100')).json();
  expect(listed).toMatchObject({ total: 3, items: [{ name: 'user' }, { name: 'developer' }, { name: 'bootstrap' }] });

  // Using the developer token.
  const login = await postern.run(['login', '--api-token', developer.token, '--endpoint', server.url]);
  expect(login).toEqual({
    code: 0,
    stdout: 'Successfully logged in as user "admin" in organization "default".\n',
    stderr: '',
  });
  const command = `'${process.execPath}' --disable-warning=ExperimentalWarning '${postern.path('dist/cli.js')}'`;
  const jq = `${command} current-context | jq '("endpoint:" + .endpoint + ", api_token:" + .api_token)'`;
  const context = await shell(jq, { POSTERN_CONFIG: postern.path('config.yaml') });
  expect(context).toBe(`"endpoint:${server.url}, api_token:${developer.token}"\n`);
  expect(await postern.run(['api-token', 'list'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('bootstrap'),
  });

  // Using the user token over HTTP.
  const curl = `curl -s -o /dev/null -w '%{http_code}' "${server.url}/demo/summarize" \\
    -H "Content-Type: application/json" \\
    -H "Authorization: Bearer $YOUR_TOKEN" \\
    --data '{"prompt": "What state is Los Angeles in?", "max_length": 100}'`;
  expect(await shell(curl, { YOUR_TOKEN: user.token })).toBe('200');
  expect(await shell(curl, { YOUR_TOKEN: developer.token })).toBe('403');

  // Using the user token over gRPC, at a service with the same store.
  const path = '/bento.Summarizer/Summarize';
  const sharing = createPostern({ store: sqliteStore({ filename: postern.path('seed.db') }) });
  const service = await startServer({
    interceptors: [guard(sharing, { [path]: { endpoint: 'demo' } })],
    echo: { [path]: 'unary' },
  });
  const client = insecure(service.address);
  const summarize = async (token: string) =>
    (await call(client, { form: 'unary', path, metadata: bearer(token) })).code;
  try {
    expect(await summarize(user.token)).toBe(status.OK);
    expect(await summarize(developer.token)).toBe(status.PERMISSION_DENIED);

    // Deleted tokens are refused by the server at once, and by the other process once it has heard.
    expect((await server.call('DELETE', `/api/v1/api_tokens/${user.uid}`)).status).toBe(200);
    expect(await shell(curl, { YOUR_TOKEN: user.token })).toBe('401');
    await expect.poll(() => summarize(user.token)).toBe(status.UNAUTHENTICATED);
  } finally {
    client.close();
    service.close();
    await sharing.close();
  }
  expect((await server.call('DELETE', `/api/v1/api_tokens/${developer.uid}`)).status).toBe(200);
  expect(await postern.run(['login', '--api-token', developer.token, '--endpoint', server.url])).toEqual({
    code: 1,
    stdout: '',
    stderr: `Error validating token: HTTP 401: Bad credentials (${server.url})\n`,
  });
});
