import * as grpc from '@grpc/grpc-js';
import type { DenialReason } from 'postern';
import { type GrpcRequirement, guard } from 'postern/grpc';
import { internalNetworks } from 'postern/zones';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CASES, type Case } from '../cases.js';
import { TARGETS } from '../targets.js';
import { createWorld, type World } from '../world.js';
import { call, FORMS, type Form, insecure, type Outcome, type Running, startServer } from './harness.js';

/** The gRPC column of docs/contract.md, written a second time. */
const EXPECTED: Readonly<Record<DenialReason, grpc.status>> = {
  token_missing: grpc.status.UNAUTHENTICATED,
  token_malformed: grpc.status.UNAUTHENTICATED,
  token_unknown: grpc.status.UNAUTHENTICATED,
  token_expired: grpc.status.UNAUTHENTICATED,
  token_revoked: grpc.status.UNAUTHENTICATED,
  proof_invalid: grpc.status.UNAUTHENTICATED,
  scope_missing: grpc.status.PERMISSION_DENIED,
  endpoint_not_granted: grpc.status.PERMISSION_DENIED,
  endpoint_unknown: grpc.status.NOT_FOUND,
  endpoint_private: grpc.status.NOT_FOUND,
  requirement_missing: grpc.status.PERMISSION_DENIED,
  rate_limited: grpc.status.RESOURCE_EXHAUSTED,
  unavailable: grpc.status.UNAVAILABLE,
  internal_error: grpc.status.INTERNAL,
};

const CUSTOM = 'x-api-key';
const DETAILS = /^[A-Z][^\n]{10,90}\.$/;

let world: World;
let outside: Running;
let inside: Running;
let custom: Running;
let clients: Map<Running, grpc.Client>;

const pathOf = (form: Form, target: string) => `/table.${form}/${target}`;

beforeAll(async () => {
  world = await createWorld();
  const requirements: Record<string, GrpcRequirement> = {};
  const echo: Record<string, Form> = {};
  for (const form of FORMS) {
    const declared: Record<string, GrpcRequirement> = {
      ...TARGETS,
      throws: () => {
        throw new Error('secret detail');
      },
      rejects: () => Promise.reject(new Error('secret detail')),
      'unknown-scope': () => ({ scope: 'nothing:here' as never }),
    };
    for (const [target, requirement] of Object.entries(declared)) requirements[pathOf(form, target)] = requirement;
    for (const target of [...Object.keys(declared), 'undeclared']) echo[pathOf(form, target)] = form;
  }
  outside = await startServer({ interceptors: [guard(world.postern, requirements)], echo });
  inside = await startServer({
    interceptors: [guard(world.postern, requirements, { zone: internalNetworks(['127.0.0.0/8']) })],
    echo,
  });
  custom = await startServer({ interceptors: [guard(world.postern, requirements, { header: CUSTOM })], echo });
  clients = new Map([outside, inside, custom].map((running) => [running, insecure(running.address)]));
});

afterEach(() => {
  world.storeIsDown(false);
  for (const { seen } of [outside, inside, custom]) {
    seen.started.length = 0;
    seen.principals.length = 0;
  }
});

afterAll(async () => {
  for (const [running, client] of clients) {
    client.close();
    running.close();
  }
  await world.postern.close();
});

async function send(running: Running, form: Form, target: string, metadata: grpc.Metadata): Promise<Outcome> {
  return call(clients.get(running) as grpc.Client, { form, path: pathOf(form, target), metadata });
}

async function run(form: Form, each: Case): Promise<Outcome> {
  const value = each.authorization(world.tokens);
  const metadata = new grpc.Metadata();
  if (typeof value === 'string') metadata.set('authorization', value);
  world.storeIsDown(each.storeDown === true);
  return send(each.inside ? inside : outside, form, each.target, metadata);
}

const cases = CASES.filter(({ notOver }) => !notOver?.includes('grpc'));

describe.each(FORMS)('a gRPC guard, in a call of the form %s,', (form) => {
  it.each(cases)('answers $name with $expected', async (each) => {
    const outcome = await run(form, each);
    const { started, principals } = (each.inside ? inside : outside).seen;
    if (each.expected === 'allowed') {
      expect(outcome).toMatchObject({ code: grpc.status.OK, trailers: {} });
      expect(outcome.responses.flatMap((response) => (response as { got: unknown[] }).got)).toEqual(
        form === 'clientStream' || form === 'bidi' ? [1, 2, 3] : [1],
      );
      expect(started).toEqual([pathOf(form, each.target)]);
      const anyone = ['status', 'metrics', 'open'].includes(each.target);
      expect(principals).toEqual([anyone ? null : expect.objectContaining({ owner: 'user' })]);
    } else {
      expect(outcome).toMatchObject({ code: EXPECTED[each.expected], responses: [], trailers: {} });
      expect(outcome.details).toMatch(DETAILS);
      expect(outcome.details).not.toMatch(/secret|ECONN|store|scope "|nothing:here/);
      expect(started).toEqual([]);
    }
  });

  it('answers unknown and private endpoints alike', async () => {
    const unknown = await send(outside, form, 'nowhere', new grpc.Metadata());
    const hidden = await send(outside, form, 'metrics', new grpc.Metadata());
    expect(hidden).toEqual(unknown);
    expect(hidden.code).toBe(grpc.status.NOT_FOUND);
  });

  describe('the header option of a gRPC guard', () => {
    const withKey = (...values: string[]) => {
      const metadata = new grpc.Metadata();
      for (const value of values) metadata.add(CUSTOM, value);
      return metadata;
    };

    it('makes it read the raw token from that key', async () => {
      expect((await send(custom, form, 'summarizer', withKey(world.tokens.user))).code).toBe(grpc.status.OK);
      expect(custom.seen.started).toHaveLength(1);
    });

    it('makes it ignore authorization', async () => {
      const metadata = new grpc.Metadata();
      metadata.set('authorization', `Bearer ${world.tokens.user}`);
      const outcome = await send(custom, form, 'summarizer', metadata);
      expect(outcome.code).toBe(grpc.status.UNAUTHENTICATED);
      expect(outcome.details).toBe('This needs a token, and none came with the call.');
    });

    it('makes it refuse a repeated key, a list, and authorization beside it', async () => {
      const { user } = world.tokens;
      const both = withKey(user);
      both.set('authorization', `Bearer ${user}`);
      for (const metadata of [withKey(user, user), withKey(`${user},${user}`), withKey(`${user} ${user}`), both]) {
        const outcome = await send(custom, form, 'summarizer', metadata);
        expect(outcome).toMatchObject({
          code: grpc.status.UNAUTHENTICATED,
          details: 'Send exactly one token, in one metadata entry.',
        });
      }
      expect(custom.seen.started).toEqual([]);
    });
  });
});

describe('a long gRPC credential', () => {
  const ofLength = (length: number) => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${'a'.repeat(length)}`);
    return metadata;
  };

  it.each([
    [8192, 'The token is not valid.'],
    [8193, 'Send exactly one token, in one metadata entry.'],
  ])('of %i characters is answered', async (length, details) => {
    const outcome = await send(outside, 'unary', 'summarizer', ofLength(length));
    expect(outcome).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details });
  });

  it('that HTTP/2 itself refuses reaches no handler', async () => {
    const outcome = await send(outside, 'unary', 'summarizer', ofLength(100_000));
    expect(outcome.code).not.toBe(grpc.status.OK);
    expect(outside.seen.started).toEqual([]);
  });
});
