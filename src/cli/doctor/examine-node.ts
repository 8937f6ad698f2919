import { type Finding, ok, problem } from './finding.js';

/** The oldest Node that the package supports, as in `engines` of package.json. */
const OLDEST = [20, 19] as const;

export function examineNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  if (!isNew) return problem('node', `Node ${version} is too old`, `Use Node ${OLDEST.join('.')} or later.`);
  return ok('node', `Node ${version} is supported`);
}
