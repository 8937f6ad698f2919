import type { Core } from '../services/core.js';
import type { Postern } from '../services/create-postern.js';
import type { Internals } from '../services/internals.js';
import type { Logins } from './login/logins.js';
import type { Settings } from './options.js';
import type { ScopeWords } from './wire/scope-words.js';

/** What every route of one API shares. */
export interface Context {
  readonly postern: Postern;
  readonly core: Core;
  readonly identifyToken: Internals['identify'];
  readonly settings: Settings;
  readonly words: ScopeWords;
  readonly logins: Logins;
  /** Tells the application of a fault. */
  report(error: unknown, request: Request): void;
}
