import type { Ground } from '../base/ground.js';
import type { Postern } from '../instance/create-postern.js';
import type { Gate, Secrets } from '../instance/internals.js';
import type { Ask } from '../transports/ask.js';
import type { Logins } from './login/logins.js';
import type { Settings } from './options.js';
import type { Sessions } from './sessions.js';
import type { ScopeWords } from './wire/scope-words.js';

/** Shared by the routes of one API. */
export interface Context {
  readonly postern: Postern;
  readonly ground: Ground;
  /** Checks the credential of a request. A use is counted. */
  readonly ask: Ask<Request>;
  readonly gate: Gate;
  readonly secrets: Secrets;
  readonly settings: Settings;
  readonly words: ScopeWords;
  readonly logins: Logins;
  readonly sessions: Sessions;
  /** The time at which this API was made. */
  readonly startedAt: Date;
  /** Reports a fault to the application. */
  report(error: unknown, request: Request): void;
}
