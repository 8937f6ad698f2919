import type { Ground } from '../base/ground.js';
import type { Postern } from '../instance/create-postern.js';
import type { Gate } from '../instance/internals.js';
import type { Logins } from './login/logins.js';
import type { Settings } from './options.js';
import type { ScopeWords } from './wire/scope-words.js';

/** What every route of one API shares. */
export interface Context {
  readonly postern: Postern;
  readonly ground: Ground;
  readonly gate: Gate;
  readonly settings: Settings;
  readonly words: ScopeWords;
  readonly logins: Logins;
  /** Tells the application of a fault. */
  report(error: unknown, request: Request): void;
}
