import { createMongoAbility } from '@casl/ability';
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin';
import { figure, ratios, spread } from '../lib/figures.mjs';
import { again, measure } from '../lib/measure.mjs';
import { load, loadInternals } from '../lib/postern.mjs';
import { createEndpoints, createTokens, HOT, warm } from '../lib/tokens.mjs';

const POLICIES = 10;

const MODEL = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act`;

/** What the tokens' scopes say, in CASL's words: one rule a scope. */
const CASL_RULES = [
  ['models:read'],
  ['models:write', 'models:read'],
  ['models:read', 'models:write'],
  ['models:read', 'bentos:write', 'bentos:read'],
  ['cluster', 'iam', 'models', 'bentos', 'deployments'].flatMap((name) => [`${name}:read`, `${name}:write`]),
].map((scopes) => scopes.map((scope) => ({ subject: scope.split(':')[0], action: scope.split(':')[1] })));

export async function run(settings) {
  const { decideGrant, compileRequirement, compileCatalog, compileGrants, VerifiedPrincipal, bentocloudTokenTypes } =
    await loadInternals(`
      export { decideGrant } from './src/domain/decide.ts';
      export { compileRequirement } from './src/domain/requirement.ts';
      export { compileCatalog, bentocloudTokenTypes } from './src/domain/token-types.ts';
      export { compileGrants } from './src/domain/grants.ts';
      export { VerifiedPrincipal } from './src/domain/principal.ts';`);
  const catalog = compileCatalog(bentocloudTokenTypes);
  const policy = { id: 'summarizer', organization: 'default', access: 'protected', uid: 'uid-summarizer' };
  const grants = await grantsAsStored(catalog, compileGrants, policy);
  const principals = Array.from({ length: HOT }, (_, i) => {
    const own = { tokenId: `token-${i}`, owner: `owner-${i}`, ownership: 'personal', organization: 'default' };
    return new VerifiedPrincipal({ ...own, grants: grants[i % grants.length] });
  });
  const endpoint = compileRequirement({ endpoint: 'summarizer' }, catalog, 'default');
  const scope = compileRequirement({ scope: 'models:read' }, catalog, 'default');

  const abilities = Array.from({ length: HOT }, (_, i) => CASL_RULES[i % CASL_RULES.length]).map(abilityOf());
  const policies = Array.from({ length: POLICIES }, (_, i) => `p, user${i}, data${i}, read`).join('\n');
  const enforcer = await newEnforcer(newModelFromString(MODEL), new StringAdapter(policies));

  const ofScope = { name: 'postern, scope', op: (i) => decideGrant(principals[i % HOT], scope, null).allowed };
  const ofEndpoint = {
    name: 'postern, endpoint',
    op: (i) => decideGrant(principals[i % HOT], endpoint, policy).allowed,
  };
  const casl = { name: 'CASL, prebuilt can', op: (i) => abilities[i % HOT].can('read', 'models') };
  const last = `user${POLICIES - 1}`;
  const data = `data${POLICIES - 1}`;
  const enforceSync = { name: 'casbin enforceSync, 10 policies', op: () => enforcer.enforceSync(last, data, 'read') };
  const enforce = { name: 'casbin enforce, 10 policies', async: true, op: () => enforcer.enforce(last, data, 'read') };
  const cases = [ofScope, again(ofScope), ofEndpoint, casl, again(casl), enforceSync, enforce];
  for (const { name, op } of cases) {
    for (let i = 0; i < HOT; i++) if ((await op(i)) !== true) throw new Error(`${name} does not allow`);
  }

  const samples = await measure(cases, settings);
  const of = ({ name }) => samples.get(name);
  const twins = [ofScope, casl].map((one) => ratios(of(one), of(again(one))));
  return {
    tables: [
      {
        head: ['case', 'a decision', `of ${casl.name}`],
        rows: cases.map((one) => [one.name, spread(of(one), ' ns'), spread(ratios(of(one), of(casl)), 'x')]),
      },
    ],
    notes: [
      `${figure(HOT)} principals with ${grants.length} distinct grants; CASL has an ability for each of the same grants.`,
      'casbin is asked for the last of its policies.',
    ],
    goals: [ofScope, ofEndpoint].flatMap((ours) => [
      {
        goal: '8',
        what: `a decision alone, ${ours.name}: its cost against ${casl.name}`,
        atMost: 0.9,
        stretch: 0.5,
        unit: 'x',
        twins,
        values: ratios(of(ours), of(casl)),
      },
      ...[
        [enforce, 600],
        [enforceSync, 200],
      ].map(([theirs, atLeast]) => ({
        goal: '8',
        what: `a decision alone, ${ours.name}, against ${theirs.name} (times faster)`,
        atLeast,
        unit: 'x',
        twins,
        values: ratios(of(theirs), of(ours)),
      })),
    ]),
  };
}

/** The grants of real tokens, with the endpoint's uid as the decision will compare it. */
async function grantsAsStored(catalog, compileGrants, policy) {
  const { createPostern, memoryStore } = await load('index');
  const store = memoryStore();
  const stored = [];
  const insertTokens = (tokens) => {
    for (const { token } of tokens) stored.push(JSON.parse(token.types));
    return store.insertTokens(tokens);
  };
  const postern = createPostern({ store: { ...store, insertTokens } });
  await createEndpoints(postern);
  await warm(postern, await createTokens(postern, CASL_RULES.length), { scope: 'models:read' });
  for (const { user } of stored) {
    if (user.endpoints === '*') continue;
    user.endpoints = user.endpoints.map((each) => (each.id === policy.id ? { id: each.id, uid: policy.uid } : each));
  }
  return stored.map((types) => compileGrants(types, catalog));
}

/** Equal rules become one ability, as equal grants become one set. */
function abilityOf() {
  const built = new Map();
  return (rules) => {
    if (!built.has(rules)) built.set(rules, createMongoAbility(rules));
    return built.get(rules);
  };
}
