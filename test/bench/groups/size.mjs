import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { figure, ratios, spread } from '../lib/figures.mjs';
import { shuffled } from '../lib/measure.mjs';
import { dist } from '../lib/postern.mjs';

const LEAST_RUNS = 15;
const execute = promisify(execFile);

export async function run(settings) {
  const sizes = [await bundled(['zod', 'jose']), await bundled(['jose']), await bundled([])];
  const signed = await bundled(['zod', 'jose'], []);
  const runs = settings.quick ? 3 : Math.max(LEAST_RUNS, settings.rounds);
  const times = await importTimes(runs, settings.progress);
  const added = times.both.map((time, round) => time - times.express[round]);
  const kb = (bytes) => figure(bytes / 1024, ' KB');
  return {
    tables: [
      {
        title: 'The core entry, minified and gzipped',
        head: ['with', 'size'],
        rows: [
          ['neither zod nor jose', kb(sizes[0])],
          ['signed tokens, loaded with the first (what they add)', kb(signed - sizes[0])],
          ['zod (what it adds)', kb(sizes[1] - sizes[0])],
          ['jose (what it adds)', kb(sizes[2] - sizes[1])],
        ],
      },
      {
        title: `Import in a process of its own, ${runs} times each, in random order`,
        head: ['imported', 'time'],
        rows: Object.entries(IMPORTS).map(([name, { title }]) => [title, spread(times[name], ' ms')]),
      },
    ],
    notes: [`postern and postern/express add ${spread(added, ' ms')} to Express.`],
    goals: [
      {
        goal: '14',
        what: 'core entry, minified and gzipped, without zod and jose',
        atMost: 25,
        stretch: 15,
        unit: ' KB',
        values: [sizes[0] / 1024],
      },
      {
        goal: '15',
        what: 'what postern + postern/express add to the import of Express',
        atMost: 100,
        stretch: 40,
        unit: ' ms',
        twins: [ratios(times.express, times.again)],
        values: added,
      },
    ],
  };
}

/** Loaded with the first token that is made, or the first signed token that comes. */
const lazy = {
  name: 'lazy',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : null));
  },
};

async function bundled(external, plugins = [lazy]) {
  const { outputFiles } = await build({
    // The sources, because the build has zod inside.
    entryPoints: [fileURLToPath(new URL('../../../src/entries/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external,
    plugins,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).byteLength;
}

const express = pathToFileURL(createRequire(import.meta.url).resolve('express')).href;
const postern = ['index', 'express'].map((entry) => pathToFileURL(`${dist}/${entry}.js`).href);

const IMPORTS = {
  express: { title: 'express', modules: [express] },
  again: { title: 'express, again', modules: [express] },
  both: { title: 'express, postern and postern/express', modules: [express, ...postern] },
  postern: { title: 'postern alone', modules: [postern[0]] },
};

/** Milliseconds from the first import to the last, in a process that does nothing else. */
async function importTimes(runs, progress) {
  const times = Object.fromEntries(Object.keys(IMPORTS).map((name) => [name, []]));
  // The first of each fills the file system's cache, and is not counted.
  for (let round = 0; round <= runs; round++) {
    if (round > 0) progress(`imports ${round} of ${runs}`);
    for (const name of shuffled(Object.keys(IMPORTS))) {
      const imports = IMPORTS[name].modules.map((module) => `await import(${JSON.stringify(module)});`).join('\n');
      const script = `const start = performance.now();\n${imports}\nconsole.log(performance.now() - start);`;
      const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', script]);
      if (round > 0) times[name].push(Number(stdout));
    }
  }
  return times;
}
