import { fastJwtCases } from '../lib/cases.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { again, measure } from '../lib/measure.mjs';
import { load, loadInternals } from '../lib/postern.mjs';
import { creationCases, signedCases } from '../lib/signed.mjs';

export async function run(settings) {
  settings.progress('making tokens');
  const index = await load('index');
  const jwt = await load('jwt');
  const eddsa = await signedCases('EdDSA', index, jwt);
  const es256 = await signedCases('ES256', index, jwt);
  const creation = await creationCases(index, loadInternals);
  const rs256 = fastJwtCases('RS256');
  const twice = [eddsa.jose, es256.jose, eddsa.tryAgain, eddsa.fast, rs256.verify];
  const cases = [
    ...Object.values(eddsa),
    ...Object.values(es256),
    ...Object.values(creation),
    rs256.verify,
    ...twice.map(again),
  ];
  const samples = await measure(cases, settings);
  const of = ({ name }) => samples.get(name);
  const twins = twice.map((one) => ratios(of(one), of(again(one))));
  return {
    tables: [
      {
        head: ['case', 'a call', `times faster than ${rs256.verify.name}`],
        rows: cases.map((one) => [one.name, micros(of(one)), spread(ratios(of(rs256.verify), of(one)))]),
      },
    ],
    notes: [
      `A creation in memory takes ${spread(ratios(of(creation.create), of(creation.withoutKey)))} times what it would without the key that derived tokens are verified with; the key alone is ${micros(of(creation.key))}.`,
      'First time: tokens that the instance has not seen; verified and decided. jose verifies the same tokens, with its key imported before.',
      'Again: 1,000 hot tokens, verified before; no signature is checked. fast-jwt verifies, with its cache on; it decides nothing. Its RS256 row has tokens of a third of the length, as they are in the group verify.',
    ],
    goals: [
      ...[eddsa, es256].map((one) => ({
        unit: 'x',
        twins,
        values: ratios(of(one.first), of(one.jose)),
        goal: '4',
        what: `${one.first.name}, against ${one.jose.name} (times its cost)`,
        atMost: 0.85,
      })),
      ...[eddsa, es256].flatMap(({ fast, again: first, tryAgain }) =>
        [first, tryAgain].map((one) => ({
          unit: 'x',
          twins,
          values: ratios(of(fast), of(one)),
          goal: '4',
          what: `${one.name}, against ${fast.name} (times faster)`,
          atLeast: 3,
        })),
      ),
      ...[eddsa.derivedAgain, eddsa.tryDerived].map((one) => ({
        unit: 'x',
        twins,
        values: ratios(of(rs256.verify), of(one)),
        goal: '4',
        what: `${one.name}, against ${rs256.verify.name} (times faster)`,
        atLeast: 2,
        stretch: 4,
      })),
    ],
  };
}
