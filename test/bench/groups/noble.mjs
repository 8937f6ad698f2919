import { fastJwtCases, posternCases } from '../lib/cases.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { again, measure } from '../lib/measure.mjs';
import { load } from '../lib/postern.mjs';

/** The hash is chosen once, when the package is loaded; so is this process, which must not have loaded it before. */
async function loadWithoutNative() {
  const { getBuiltinModule } = process;
  process.getBuiltinModule = undefined;
  try {
    return await load('index');
  } finally {
    process.getBuiltinModule = getBuiltinModule;
  }
}

export async function run(settings) {
  settings.progress('making tokens');
  const ours = await posternCases(await loadWithoutNative());
  const { verify } = fastJwtCases('RS256');
  const cases = [ours.string, ours.tryEndpoint, again(ours.tryEndpoint), ours.endpoint, verify, again(verify)];
  const samples = await measure(cases, settings);
  const of = ({ name }) => samples.get(name);
  const twins = [ours.tryEndpoint, verify].map((one) => ratios(of(one), of(again(one))));
  return {
    tables: [
      {
        head: ['case', 'a call', `times faster than ${verify.name}`],
        rows: cases.map((one) => [one.name, micros(of(one)), spread(ratios(of(verify), of(one)))]),
      },
    ],
    goals: [ours.endpoint, ours.tryEndpoint].map((one) => ({
      goal: '1',
      what: `noble alone: ${one.name}, against fast-jwt RS256 (times faster)`,
      atLeast: 1,
      unit: 'x',
      twins,
      values: ratios(of(verify), of(one)),
    })),
  };
}
