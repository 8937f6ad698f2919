import type { Ground } from '../base/ground.js';
import type { Denied } from '../domain/decision.js';
import type { GuardAttempt } from './attempt.js';
import type { Authorizer } from './authorizer.js';
import type { EndpointDirectory } from './endpoint-directory.js';
import type { TokenCache } from './token-cache.js';

/** What leases look at. */
export interface LeaseSources {
  readonly ground: Ground;
  readonly authorizer: Authorizer;
  readonly cache: TokenCache;
  readonly directory: EndpointDirectory;
  /** Whether the instance is closed. */
  closed: boolean;
}

/** A decision that is kept up to date while a stream is open. */
export interface Lease {
  /** The stream is over: nothing is looked at for it any more. Idempotent. */
  close(): void;
}

/** One open stream. */
export class HeldLease implements Lease {
  /** `null`: not sorted into a group yet. */
  group: Group | null = null;

  constructor(
    readonly attempt: GuardAttempt,
    readonly ended: (denial: Denied) => void,
    readonly release: (lease: HeldLease) => void,
  ) {}

  close(): void {
    this.release(this);
  }
}

/** Leases that one look serves: of one credential, requirement, zone and method. */
export class Group {
  readonly members = new Set<HeldLease>();
  /** The API token that the decision rests on; `null`: none. */
  tokenId: string | null = null;
  /** The organization whose endpoint the decision rests on; `null`: none. */
  organization: string | null = null;
  looking = false;
  /** A change came while it was looked at. */
  lookAgain = false;
  /** How many changes there had been when the look began. */
  changesBefore = 0;
  /** Looks in a row that found the store down. */
  outages = 0;
  /** Cancels the next look. */
  cancel: (() => void) | null = null;

  constructor(
    readonly key: string,
    readonly attempt: GuardAttempt,
  ) {}
}
