import type { Ground } from '../base/ground.js';
import type { Postern } from '../instance/create-postern.js';
import type { Gate, Secrets } from '../instance/internals.js';
import type { Ask } from '../transports/ask.js';
import type { Logins } from './login/logins.js';
import type { Settings } from './options.js';
import type { Sessions } from './sessions.js';
import type { ScopeWords } from './wire/scope-words.js';

/** What every route of one API shares. */
export interface Context {
  readonly postern: Postern;
  readonly ground: Ground;
  /** Whether what came with a request is a credential that is alive. Its use is counted. */
  readonly ask: Ask<Request>;
  readonly gate: Gate;
  readonly secrets: Secrets;
  readonly settings: Settings;
  readonly words: ScopeWords;
  readonly logins: Logins;
  readonly sessions: Sessions;
  /** Since when this API is there. */
  readonly startedAt: Date;
  /** Tells the application of a fault. */
  report(error: unknown, request: Request): void;
}
