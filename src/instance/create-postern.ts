import { unpolluted } from '../base/check.js';
import { SecretReference } from '../base/credential.js';
import { createGround, type Ground } from '../base/ground.js';
import { type PosternOptions, readOptions } from '../base/options.js';
import type { Attempt } from '../deciding/attempt.js';
import { createDeciding } from '../deciding/create-deciding.js';
import type { Authentication, Decision } from '../domain/decision.js';
import type { Ownership } from '../domain/principal.js';
import type { AnyTokenTypes, bentocloudTokenTypes, TokenTypes } from '../domain/token-types.js';
import type { EndpointRights } from '../managing/authority.js';
import type { Management } from '../managing/create-managing.js';
import { startTrimming } from '../managing/trimming.js';
import type { AttachableAuthenticator, Authenticator, AuthenticatorHost } from '../ports/authenticator.js';
import { type ActingPrincipal, readActing } from './acting.js';
import type { Inspection } from './inspection.js';
import { setInternals } from './internals.js';
import { inspectionOnDemand, managingOnDemand } from './on-demand.js';

/** An instance: decisions, management, and closing. */
export interface Postern<T extends TokenTypes = AnyTokenTypes> extends Management<T>, Inspection<T> {
  /**
   * Decides one attempt. An internal failure is a denial.
   *
   * @throws PosternError `requirement_invalid`, `scope_unknown`: no call could ever meet this requirement
   */
  authorize(attempt: Attempt<T>): Promise<Decision<T>>;
  /** The same decision without a promise, if every fact is in memory; else `null`. Never throws. */
  tryAuthorize(attempt: Attempt<T>): Decision<T> | null;
  /** The principal of a credential, or the reason why there is none. */
  authenticate(token: string | null | undefined): Promise<Authentication<T>>;
  /**
   * The same management for a principal: limited to its organization, granting no more than it holds, and acting in its name.
   * Use this one to serve users' requests. `postern.tokens` itself has all rights: it is for the application.
   *
   * @param options.from the caller's address, for the audit log
   * @param options.endpoints `'seen'`: it may see every endpoint of its organization. `'grantable'`: it may also grant them; this
   *   is for users who may open an endpoint to everyone anyway. Default `'held'`: only endpoints that it reaches
   * @param options.ownership `'organization'`: it may make tokens of the organization, which outlive it. Default: personal ones only
   * @throws PosternError `input_invalid` for a value that is not a principal
   */
  as(
    principal: ActingPrincipal<T>,
    options?: {
      readonly from?: string | undefined;
      readonly endpoints?: EndpointRights | undefined;
      readonly ownership?: Ownership | undefined;
    },
  ): Management<T> & Inspection<T>;
  /** Writes the waiting uses. For runtimes that freeze between requests. */
  flush(): Promise<void>;
  /** Writes the waiting uses, ends the leases (`unavailable`), and closes the store. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes an instance.
 *
 * @example
 * const postern = createPostern({ store: memoryStore() });
 * const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:write'] } } });
 * await postern.authorize({ token, requirement: { scope: 'models:read' } });   // { allowed: true, … }
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function createPostern<const T extends TokenTypes = typeof bentocloudTokenTypes>(
  options: PosternOptions<T>,
): Postern<T> {
  const ground = createGround(readOptions(options));
  const { authenticators } = ground.settings;
  const host = hostOf(ground);
  const attached = authenticators.map((each) => attach(each, host));
  const { authorizer, holding, forgetting, ...deciding } = createDeciding(ground, attached);
  const stopTrimming = startTrimming(ground);
  let closing: Promise<void> | null = null;

  const postern: Postern = {
    ...managingOnDemand(ground, forgetting, null),
    authorize: (attempt) => authorizer.authorize(attempt),
    tryAuthorize: (attempt) => authorizer.tryAuthorize(attempt),
    authenticate: (token) => authorizer.authenticate(token),
    ...inspectionOnDemand(ground, authorizer, null),
    as(principal, options) {
      const acting = readActing(principal, options);
      return {
        ...managingOnDemand(ground, forgetting, acting),
        ...inspectionOnDemand(ground, authorizer, acting),
      };
    },
    flush: () => deciding.flush(),
    close() {
      closing ??= (async () => {
        stopTrimming();
        await Promise.all(attached.map((authenticator) => unpolluted(authenticator, 'close')?.call(authenticator)));
        await deciding.close();
        await ground.store.close();
      })();
      return closing;
    },
  };
  setInternals(postern, {
    ground,
    gate: authorizer,
    holding,
    secrets: { of: (token) => authorizer.secretOf(token), at: (digest) => new SecretReference(digest) },
    identify: (token) => authorizer.identify(token),
    attached: (authenticator) => attached[authenticators.indexOf(authenticator)] ?? null,
  });
  return Object.freeze(postern) as unknown as Postern<T>;
}

function attach(given: Authenticator | AttachableAuthenticator, host: AuthenticatorHost): Authenticator {
  const own = unpolluted(given as AttachableAuthenticator, 'attach');
  return own === undefined ? (given as Authenticator) : own.call(given, host);
}

function hostOf({ settings, store, time, events }: Ground): AuthenticatorHost {
  return {
    store,
    random: settings.random,
    now: () => time.read(),
    fault: (error) => events.fault('issuer', error, time.latest),
  };
}
