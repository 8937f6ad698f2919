const VERSION = /^(\d+)\.(\d+)\.(\d+)$/;

/** `wanted` is `major`, `minor`, `patch`, a version, or none: then it is the version of package.json. */
export function nextVersion(current, wanted = current) {
  const [major, minor, patch] = VERSION.exec(current)?.slice(1).map(Number) ?? [];
  if (major === undefined) throw new Error(`the version of package.json is ${current}, which is not like 1.2.3`);
  if (wanted === 'major') return `${major + 1}.0.0`;
  if (wanted === 'minor') return `${major}.${minor + 1}.0`;
  if (wanted === 'patch') return `${major}.${minor}.${patch + 1}`;
  if (!VERSION.test(wanted)) throw new Error(`${wanted} is no version: give major, minor, patch, or one like 1.2.3`);
  return wanted;
}

/** The changelog in which the section that is not released becomes this version's, of this day (UTC). */
export function released(changelog, version, day) {
  const heading = /^## (?:\[?Unreleased\]?|\d+\.\d+\.\d+ - unreleased)$/im.exec(changelog);
  if (heading === null) throw new Error('CHANGELOG.md has no section "## Unreleased": write down what has changed');
  const begin = heading.index + heading[0].length;
  const end = changelog.indexOf('\n## ', begin);
  const text = changelog.slice(begin, end < 0 ? undefined : end);
  if (!/^[-*] /m.test(text)) throw new Error('the section "Unreleased" of CHANGELOG.md names no change');
  return `${changelog.slice(0, heading.index)}## ${version} - ${day.toISOString().slice(0, 10)}${changelog.slice(begin)}`;
}
