import type { Postern } from 'postern';
import { type Gate, internalsOf, setInternals } from '../../src/instance/internals.js';

/** The gate that guards use. */
export function gateOf(postern: Postern): Gate {
  return internalsOf(postern).gate;
}

/** The same instance with some answers of its gate replaced. */
export function withGate(postern: Postern, answers: Partial<Gate>): Postern {
  const internals = internalsOf(postern);
  const { gate } = internals;
  const bound: Gate = {
    prepare: (requirement) => gate.prepare(requirement),
    tryAuthorize: (attempt, mode) => gate.tryAuthorize(attempt, mode),
    authorize: (attempt, mode) => gate.authorize(attempt, mode),
    fault: (error) => gate.fault(error),
  };
  const copy = { ...postern };
  setInternals(copy, { ...internals, gate: { ...bound, ...answers } });
  return copy;
}
