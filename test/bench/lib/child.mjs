import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const pins = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** Whether processes can be kept on a core of their own here. */
export const canPin = pins;

/** A command on one core, where the machine has several and `taskset`. */
export function pinned(core, command, args) {
  return pins && core !== undefined ? ['taskset', ['-c', String(core), command, ...args]] : [command, args];
}

/**
 * Starts a module of this package in a process of its own. It is ready once it has called {@link serve}; `ready` is what
 * it gave there.
 */
export async function start(module, args, { core, execArgv = [] } = {}) {
  const script = fileURLToPath(new URL(`../${module}`, import.meta.url));
  const [command, rest] = pinned(core, process.execPath, [...execArgv, script, ...args.map(String)]);
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = [];
  const ended = new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      const error = new Error(`${module} ${args.join(' ')} ended (${signal ?? `exit ${code}`})`);
      for (const { reject } of waiting.splice(0)) reject(error);
      resolve();
    });
  });
  child.on('message', ({ value, error }) => {
    const { resolve, reject } = waiting.shift();
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  const answer = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  const ready = await answer();
  return {
    ready,
    /** Answers come in the order of the questions. */
    ask(question) {
      const answered = answer();
      child.send(question);
      return answered;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** The other side of {@link start}. The process ends when its parent lets go of it. */
export function serve(ready, answer) {
  process.on('message', async (question) => {
    try {
      process.send({ value: await answer(question) });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ value: ready });
}
