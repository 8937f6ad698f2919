import { parseArgs } from 'node:util';

/** Groups in the order in which they run, with what each one shows. */
export const GROUPS = {
  verify: 'warm verification of an API token against fast-jwt, prefixed-api-key and better-auth',
  noble: 'the same without a native hash: @noble/hashes alone',
  cold: 'verification on SQLite, nothing cached, against a bare point read',
  drivers: 'through each driver, a cold verification and a write against an application that does both by itself',
  decision: 'the decision alone against CASL and casbin',
  signed: 'access tokens and derived tokens, the first time and again, against jose and fast-jwt',
  refusals: 'garbage, refused without a store read',
  fastify: 'guarded Fastify against bare Fastify, @fastify/bearer-auth and @fastify/jwt (wrk)',
  express: 'guarded Express against bare Express and express-oauth2-jwt-bearer (wrk)',
  grpc: 'guarded grpc-js, unary, against bare (h2load)',
  hosts: 'guarded node:http, Hono, Nest and Connect, each against its bare host (wrk)',
  growth: '1,000 to 1,000,000 tokens, warm and cold',
  memory: 'the heap that 100,000 cached tokens take',
  size: 'size of the core entry, and import time beside Express',
};

const SETS = { http: ['fastify', 'express', 'grpc', 'hosts'] };

const HELP = `npm run bench -- [options]

  --only a,b        run these groups only (http: fastify, express, grpc and hosts)
  --rounds N        rounds per group (default 10)
  --quick           2 short rounds and smaller stores: shows that it runs, its figures mean nothing
  --require-http    fail where wrk or h2load is missing, instead of leaving their groups out
  --dist PATH       measure this build (default: dist/ of the package)
  --out PATH        where the tables go (default: test/bench/results/<date>.md)

Groups:
${Object.entries(GROUPS)
  .map(([name, what]) => `  ${name.padEnd(10)}${what}`)
  .join('\n')}`;

/** @throws Error for what can't be used, in one line */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'require-http': { type: 'boolean', default: false },
      dist: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { help: HELP };
  const rounds = values.rounds === undefined ? (values.quick ? 2 : 10) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: give a whole number from 1`);
  return {
    groups: values.only === undefined ? Object.keys(GROUPS) : readGroups(values.only),
    rounds,
    quick: values.quick,
    requireHttp: values['require-http'],
    dist: values.dist,
    out: values.out,
  };
}

function readGroups(text) {
  const named = text.split(',').flatMap((name) => SETS[name] ?? [name]);
  for (const name of named) {
    if (!Object.hasOwn(GROUPS, name)) {
      throw new Error(`--only ${name}: the groups are ${[...Object.keys(GROUPS), ...Object.keys(SETS)].join(', ')}`);
    }
  }
  return Object.keys(GROUPS).filter((name) => named.includes(name));
}
