/**
 * An Express application with its own login mounts the management API and the console below /tokens. Its people manage their
 * personal tokens there, its administrators those of the organization.
 *
 *   npx tsx examples/management-express.ts      (PORT=3000 for a port of your choice)
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { createPostern, memoryStore } from 'postern';
import { guard } from 'postern/express';
import { managementApi, toNodeHandler } from 'postern/management';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });

/** The application's people, with the most that their tokens may be granted. */
const PEOPLE = {
  ada: { owner: 'ada', name: 'Ada Lovelace', types: { user: { endpoints: ['summarizer'] } } },
  grace: { owner: 'grace', name: 'Grace Hopper', types: { developer: { scopes: ['*'] } } },
} as const;
type Person = (typeof PEOPLE)[keyof typeof PEOPLE];

/** A minimal login of the application: it lets in everyone who knows a name. */
const sessions = new Map<string, Person>();
const personOf = (request: Request) => sessions.get(/\bsid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '');

const app = express();
app.get('/', (request, response) => {
  const person = personOf(request);
  const form =
    '<form method="post" action="/login">I am <button name="name" value="ada">Ada</button> <button name="name" value="grace">Grace</button></form>';
  response.send(person ? `${person.name}: <a href="/tokens/">API tokens</a>` : form);
});
app.post('/login', express.urlencoded(), (request, response) => {
  const name: unknown = request.body?.name;
  if (typeof name !== 'string' || !Object.hasOwn(PEOPLE, name)) return void response.sendStatus(403);
  const sid = randomUUID();
  sessions.set(sid, PEOPLE[name as keyof typeof PEOPLE]);
  response.cookie('sid', sid, { httpOnly: true, sameSite: 'lax' }).redirect(303, '/');
});

// The caller comes from the application's session. A token with developer access is accepted too.
const identify = (_request: unknown, source: unknown) => personOf(source as Request) ?? null;
app.use(toNodeHandler(managementApi(postern, { basePath: '/tokens', identify })));

// The endpoint that the tokens reach.
app.post('/summarizer', guard(postern, { endpoint: 'summarizer' }), (request, response) => {
  response.json({ summary: 'short', calledBy: request.principal?.owner });
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`log in, and make a token:  http://127.0.0.1:${port}/`);
});

onShutdown(() => new Promise((closed) => server.close(closed)).then(() => postern.close()));
