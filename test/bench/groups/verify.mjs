import { fastJwtCases, posternCases } from '../lib/cases.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { again, measure } from '../lib/measure.mjs';
import { betterAuthProcess, prefixedApiKeyCase } from '../lib/peers.mjs';
import { load } from '../lib/postern.mjs';

export async function run(settings) {
  settings.progress('making tokens');
  const ours = await posternCases(await load('index'));
  const rs256 = fastJwtCases('RS256');
  const es256 = fastJwtCases('ES256');
  const prefixed = await prefixedApiKeyCase();
  const betterAuth = await betterAuthProcess(settings.sampleMs);
  const cases = [
    ours.string,
    rs256.string,
    ours.tryEndpoint,
    again(ours.tryEndpoint),
    ours.tryScope,
    ours.tryRaw,
    ours.tryRawScope,
    ours.endpoint,
    again(ours.endpoint),
    ours.scope,
    rs256.verify,
    again(rs256.verify),
    es256.verify,
    prefixed,
    betterAuth,
  ];
  const samples = await measure(cases, settings).finally(() => betterAuth.stop());
  const of = ({ name }) => samples.get(name);
  const reference = of(rs256.verify);
  const twins = [ours.tryEndpoint, ours.endpoint, rs256.verify].map((one) => ratios(of(one), of(again(one))));
  const faster = (theirs, one) => ({ unit: 'x', twins, values: ratios(of(theirs), of(one)) });
  return {
    tables: [
      {
        head: ['case', 'a call', `times faster than ${rs256.verify.name}`],
        rows: cases.map((one) => [one.name, micros(of(one)), spread(ratios(reference, of(one)))]),
      },
    ],
    notes: [
      'Every row but those of "the string alone" contains the making of a fresh string; nothing is subtracted.',
      "postern's rows verify and decide; those of the peers verify.",
      'better-auth: secondary storage in memory, its rate limit off, which is its fastest form; in a process of its own, because its AsyncLocalStorage makes every promise beside it dearer.',
    ],
    goals: [
      ...[ours.endpoint, ours.scope].map((one) => ({
        ...faster(rs256.verify, one),
        goal: '1',
        what: `${one.name}, against fast-jwt RS256 (times faster)`,
        atLeast: 2.5,
        stretch: 3.5,
      })),
      ...[ours.tryEndpoint, ours.tryScope].map((one) => ({
        ...faster(rs256.verify, one),
        goal: '1',
        what: `${one.name}, against fast-jwt RS256 (times faster)`,
        atLeast: 3.5,
        stretch: 5,
      })),
      ...[ours.endpoint, ours.tryEndpoint].flatMap((one) => [
        {
          ...faster(prefixed, one),
          goal: '2',
          what: `${one.name}, against prefixed-api-key (times faster)`,
          atLeast: 1,
        },
        {
          ...faster(betterAuth, one),
          goal: '2',
          what: `${one.name}, against better-auth (times faster)`,
          atLeast: 250,
          stretch: 400,
        },
      ]),
    ],
  };
}
