/**
 * GraphQL Yoga: the context has `require`, and each resolver names its requirement.
 * The packages are those of test/hosts, where `npm run test:hosts` compiles and runs this file.
 */
import { createServer } from 'node:http';
import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { createPostern, memoryStore } from 'postern';
import { answerTo, readCredential } from 'postern/http';

const postern = createPostern({ store: memoryStore() });
const types = { developer: { scopes: ['models:read'] } } as const;
const { token } = await postern.tokens.create({ name: 'example', owner: 'you', types });

type Needed = NonNullable<Parameters<typeof postern.authorize>[0]['requirement']>;

function contextOf(request: Request) {
  const credential = readCredential(request.headers);
  return {
    /** The caller. Throws the denial as an error of GraphQL, with the status and the challenge of the HTTP answer. */
    async require(requirement: Needed) {
      const decision = await postern.authorize({ ...credential, method: request.method, requirement });
      if (decision.allowed) return decision.principal;
      const { status, headers } = answerTo(decision, { requirement });
      const challenge = headers['www-authenticate'] ?? headers['WWW-Authenticate'];
      const http = { status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } };
      throw new GraphQLError(decision.reason, { extensions: { code: decision.reason, http } });
    },
  };
}

const yoga = createYoga({
  context: ({ request }) => contextOf(request),
  schema: createSchema<ReturnType<typeof contextOf>>({
    typeDefs: 'type Query { models: String, train: String }',
    resolvers: {
      Query: {
        models: async (_root, _args, context) => (await context.require({ scope: 'models:read' }))?.owner,
        train: async (_root, _args, context) => {
          await context.require({ scope: 'models:write' });
          return 'reached';
        },
      },
    },
  }),
});

const server = createServer(yoga);
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  const call = (query: string) => `curl -i 'http://127.0.0.1:${port}/graphql?query=${query}'`;
  console.log(`allowed:        ${call('%7Bmodels%7D')} -H "Authorization: Bearer ${token}"`);
  console.log(`scope missing:  ${call('%7Btrain%7D')} -H "Authorization: Bearer ${token}"`);
});
