import { spawnSync } from 'node:child_process';
import { inPath, succeeds, type Tool } from './tools.js';

/**
 * The tools that are missing after those that can be had were installed: Debian's packages, as root or through a `sudo` that asks for
 * no password. Everything that is installed is printed.
 *
 * @param who stands before the sentence that is printed
 */
export function stillMissing(tools: readonly Tool[], who: string): readonly Tool[] {
  const missing = tools.filter(({ isThere }) => !isThere());
  return missing.length > 0 && install(missing, who) ? missing.filter(({ isThere }) => !isThere()) : missing;
}

function install(tools: readonly Tool[], who: string): boolean {
  if (!inPath('apt-get')) return false;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !succeeds('sudo', '-n', 'true')) return false;
  const command = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-qq',
    '-y',
    '--no-install-recommends',
    'install',
  ];
  const packages = [...new Set(tools.flatMap(({ debian }) => debian.split(' ')))];
  console.log(`${who}: installing ${packages.join(', ')}`);
  for (const args of [
    ['apt-get', '-qq', 'update'],
    [...command, ...packages],
  ]) {
    const [program = '', ...rest] = isRoot ? args : ['sudo', '-n', ...args];
    console.log(`$ ${[program, ...rest].join(' ')}`);
    if (spawnSync(program, rest, { stdio: 'inherit' }).status !== 0) return false;
  }
  return true;
}
