import { CommanderError } from 'commander';
import { redact } from '../domain/text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { failureOf, PROGRAM } from './failure.js';
import type { Host } from './host.js';
import type { Outcome } from './outcome.js';
import { visible } from './output/print.js';
import { paint } from './output/style.js';
import { program } from './program.js';

/** Runs one command line. Resolves with the exit code, and never rejects. */
export async function run(machine: Host): Promise<ExitCode> {
  const host = machine.args.includes('--no-color') ? { ...machine, env: { ...machine.env, NO_COLOR: '1' } } : machine;
  // The exit code of a command that does not throw.
  const outcome: Outcome = { exitCode: EXIT.ok };
  try {
    await program(host, outcome).parseAsync([...host.args], { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    // Commander has printed its error through `configureOutput`.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { message, exitCode } = failureOf(error);
    const painted = message.startsWith(PROGRAM) ? paint(host, 'red', PROGRAM) + message.slice(PROGRAM.length) : message;
    host.stderr.write(`${painted}\n`);
    if (host.env.POSTERN_DEBUG === '1') host.stderr.write(`${visible(redact(traceOf(error)))}\n`);
    return exitCode;
  }
}

function traceOf(error: unknown): string {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error && lines.length < 10; at = at.cause)
    lines.push(at.stack ?? at.message);
  return lines.join('\ncaused by ');
}
