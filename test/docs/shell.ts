import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

/** A shell that a reader types a page's commands into: variables and the current folder last from one to the next. */
export class Shell {
  readonly #bash: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isOver = false;
  #output = '';

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    // A group of its own, so that the servers that it started end with it.
    this.#bash = spawn('bash', ['-eu', '-o', 'pipefail'], { cwd: folder, env, detached: true });
    this.#ended = once(this.#bash, 'exit').then(() => {
      this.#isOver = true;
    });
    for (const stream of [this.#bash.stdout, this.#bash.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  /** What the commands print on both outputs. Rejects if one of them fails. */
  async run(commands: string): Promise<string> {
    const end = `end-${randomUUID()}`;
    this.#output = '';
    this.#bash.stdin?.write(`${commands}\necho ${end}\n`);
    while (!this.#output.includes(end)) {
      if (this.#isOver) throw new Error(`failed: ${commands}\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.#output.slice(0, this.#output.indexOf(end));
  }

  /** Starts a command that goes on, in place of the one before; resolves with what it printed once it has printed a whole line. */
  async serve(command: string): Promise<string> {
    const script = `
      if [ -n "\${SERVED:-}" ]; then kill $SERVED; wait $SERVED || true; fi
      : > served.log
      ( exec ${command.trim()}
      ) > served.log 2>&1 < /dev/null & SERVED=$!
      until [ "$(wc -l < served.log)" -ge 1 ]; do
        kill -0 $SERVED || { cat served.log; exit 1; }
        sleep 0.05
      done
      sleep 0.2; cat served.log`;
    return this.run(script);
  }

  async end(): Promise<void> {
    if (!this.#isOver) process.kill(-(this.#bash.pid as number), 'SIGTERM');
    await this.#ended;
  }
}
