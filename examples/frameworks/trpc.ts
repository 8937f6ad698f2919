/**
 * tRPC: each procedure declares its requirement in its meta, and a middleware asks. A procedure that declares none is refused.
 * The packages are those of test/hosts, where `npm run test:hosts` compiles and runs this file.
 */
import { initTRPC, TRPCError } from '@trpc/server';
import { type CreateHTTPContextOptions, createHTTPServer } from '@trpc/server/adapters/standalone';
import { createPostern, memoryStore } from 'postern';
import { answerTo, readCredential } from 'postern/http';

const postern = createPostern({ store: memoryStore() });
const types = { developer: { scopes: ['models:read'] } } as const;
const { token } = await postern.tokens.create({ name: 'example', owner: 'you', types });

type Needed = NonNullable<Parameters<typeof postern.authorize>[0]['requirement']>;

const createContext = ({ req }: CreateHTTPContextOptions) => ({ credential: readCredential(req), method: req.method });

const t = initTRPC.context<ReturnType<typeof createContext>>().meta<{ readonly requirement: Needed }>().create();

const CODES = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
} as const;

const guarded = t.procedure.use(async ({ ctx, meta, next }) => {
  // A batch has several procedures in one request: each is asked for.
  const decision = await postern.authorize({ ...ctx.credential, method: ctx.method, requirement: meta?.requirement });
  if (decision.allowed) return next({ ctx: { principal: decision.principal } });
  const code = CODES[answerTo(decision).status as keyof typeof CODES] ?? 'INTERNAL_SERVER_ERROR';
  throw new TRPCError({ code, message: decision.reason });
});

const router = t.router({
  models: guarded.meta({ requirement: { scope: 'models:read' } }).query(({ ctx }) => ({ by: ctx.principal?.owner })),
  train: guarded.meta({ requirement: { scope: 'models:write' } }).query(() => 'reached'),
  forgotten: guarded.query(() => 'reached'),
});

const server = createHTTPServer({ router, createContext });
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`allowed:        curl -i http://127.0.0.1:${port}/models -H "Authorization: Bearer ${token}"`);
  console.log(`scope missing:  curl -i http://127.0.0.1:${port}/train -H "Authorization: Bearer ${token}"`);
});
