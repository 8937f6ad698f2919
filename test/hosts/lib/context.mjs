import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** How long one program may take. Milliseconds. */
const LIMIT = 240_000;

/** What a row gets: README.md says what each is for. */
export function makeContext({ folder: world, modules, tarball }, name, documented) {
  const folder = join(world, name);
  mkdirSync(folder);
  const running = new Set();
  const endings = [];

  function launch(program, args, { cwd = folder, env = {} } = {}) {
    const child = spawn(program, args, {
      cwd,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what it starts ends with it.
      detached: true,
    });
    running.add(child);
    const out = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'])
      child[stream].setEncoding('utf8').on('data', (text) => (out[stream] += text));
    const ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal));
    }).finally(() => running.delete(child));
    ended.catch(() => {});
    return { child, out, ended, shown: () => `${program} ${args.join(' ')}\n${out.stdout}\n${out.stderr}` };
  }

  const stop = (child) => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  };

  const context = {
    folder,
    modules,
    tarball,
    async write(files, into = folder) {
      for (const [path, content] of Object.entries(files)) {
        const file = join(into, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
      }
    },
    async run(program, args, options = {}) {
      const { child, out, ended, shown } = launch(program, args, options);
      const timer = setTimeout(() => stop(child), options.timeout ?? LIMIT);
      const code = await ended.finally(() => clearTimeout(timer));
      if (options.fails ? code === 0 : code !== 0) throw new Error(`exit ${code}: ${shown()}`);
      return out;
    },
    node: (args, options) => context.run(process.execPath, args, options),
    bin: (tool) => join(modules, '.bin', tool),
    async start(program, args, { until, ...options }) {
      const { child, out, ended, shown } = launch(program, args, options);
      const match = await new Promise((resolve, reject) => {
        const look = () => {
          const found = until.exec(out.stdout + out.stderr);
          if (found) resolve(found);
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        ended.then((code) => reject(new Error(`it ended (${code}) before it was ready: ${shown()}`)), reject);
        setTimeout(() => reject(new Error(`it was not ready in time: ${shown()}`)), LIMIT).unref();
      });
      const end = () => {
        stop(child);
        return ended;
      };
      return { match, out, stop: end };
    },
    document(runtime, columns) {
      documented.set(runtime, columns);
      return Object.entries(columns).map(([column, cell]) => (cell === 'yes' ? column : `${column}: ${cell}`));
    },
    onEnd: (end) => void endings.push(end),
    async end() {
      for (const child of running) stop(child);
      for (const end of endings.reverse()) await end();
    },
  };
  return context;
}

/** Without the variables of the npm that started this, which would steer the programs. */
function environment(own) {
  const outer = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_ENV$|VITEST)/i.test(name));
  return { ...Object.fromEntries(outer), NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1', ...own };
}
