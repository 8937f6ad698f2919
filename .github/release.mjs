#!/usr/bin/env node
// A release in one command. Publishing is the work of `.github/workflows/release.yml`, which the pushed tag starts.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nextVersion, released } from './release-text.mjs';

const HELP = `Usage: npm run release -- [major|minor|patch|VERSION] [--dry-run | --pack]

Makes a release: version, changelog, checks, build, tarball, SBOM, commit and tag. Without a version, the one of package.json is
released. The tarball and the SBOM are in .tmp/release.

  --dry-run  does all of it but the commit and the tag, and restores the changed files
  --pack     only checks, builds and packs the version that is there
  -h, --help shows this`;

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, '.tmp/release');
const CHANGED = ['package.json', 'package-lock.json', 'CHANGELOG.md'];

function run(command, ...args) {
  return execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function step(text, work) {
  const begun = Date.now();
  process.stdout.write(`- ${text} … `);
  const outcome = work();
  console.log(`${((Date.now() - begun) / 1000).toFixed(1)} s`);
  return outcome;
}

function checkGit() {
  if (run('git', 'status', '--porcelain') !== '')
    throw new Error('some changes are not committed. Commit or stash them first');
  const branch = run('git', 'branch', '--show-current').trim();
  if (branch !== 'main')
    throw new Error(`releases are made on main, and this is ${branch || 'no branch'}. Run: git switch main`);
}

function prepare(version) {
  step('version and changelog', () => {
    const changelog = join(root, 'CHANGELOG.md');
    writeFileSync(changelog, released(readFileSync(changelog, 'utf8'), version, new Date()));
    run('npm', 'version', version, '--no-git-tag-version', '--allow-same-version');
  });
}

function pack() {
  step('types, lint, imports, build, package', () => run('npm', 'run', 'check'));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const [packed] = step('tarball', () =>
    JSON.parse(run('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', out)),
  );
  step('SBOM', () => {
    const sbom = run('npm', 'sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only');
    writeFileSync(join(out, 'sbom.cdx.json'), sbom);
    // npm knows nothing of bundled packages. Their licences name each with its version.
    cpSync(join(root, 'dist/LICENSES.txt'), join(out, 'bundled.txt'));
    cpSync(join(root, 'dist/cli/LICENSES.txt'), join(out, 'bundled-command.txt'));
  });
  console.log(`  ${packed.filename}: ${packed.files.length} files, ${Math.round(packed.size / 1024)} KB`);
}

function commit(version) {
  run('git', 'add', ...CHANGED);
  run('git', 'commit', '-m', `Release ${version}`);
  run('git', 'tag', '-a', `v${version}`, '-m', `postern ${version}`);
}

function release(wanted, dryRun) {
  if (!dryRun) checkGit();
  const before = CHANGED.map((file) => [join(root, file), readFileSync(join(root, file), 'utf8')]);
  const restore = () => {
    for (const [path, text] of before) writeFileSync(path, text);
  };
  const version = nextVersion(JSON.parse(before[0][1]).version, wanted);
  console.log(`postern ${version}`);
  try {
    prepare(version);
    pack();
  } catch (error) {
    restore();
    throw error;
  }
  if (dryRun) {
    restore();
    console.log('\nDry run: nothing was committed.');
  } else {
    commit(version);
    console.log('\nCommitted and tagged. To publish it, run: git push --follow-tags');
  }
}

try {
  const { values, positionals } = parseArgs({
    options: { 'dry-run': { type: 'boolean' }, pack: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new Error(`give one version, not ${positionals.length}`);
  if (values.help) console.log(HELP);
  else if (values.pack) pack();
  else release(positionals[0], values['dry-run'] === true);
} catch (error) {
  console.error(`\nrelease: ${error.message}`);
  for (const output of [error.stdout, error.stderr]) if (output) console.error(output);
  process.exitCode = 1;
}
