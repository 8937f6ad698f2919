import { type Credential, credentialReader } from '../base/credential.js';
import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import type { DenialReason } from '../domain/decision.js';
import type { EndpointPolicy } from '../domain/endpoint.js';
import { tokenLength } from '../domain/token-format.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { Call } from './call.js';
import type { EndpointDirectory } from './endpoint-directory.js';
import type { Holder } from './holder.js';
import { Limiter } from './limiter.js';
import type { SignedTokens } from './signed-tokens.js';
import type { Memory, Need } from './step.js';
import type { TokenCache } from './token-cache.js';
import { TokenEnds } from './token-ends.js';
import { TokenFinder } from './token-finder.js';

export interface FactSources {
  readonly cache: TokenCache;
  readonly directory: EndpointDirectory;
  readonly authenticators: readonly Authenticator[];
}

/** Finds the facts of calls, in memory or from the store, an issuer's keys or the limiter. It decides nothing. */
export class Facts implements Memory {
  readonly #ground: Ground;
  readonly #sources: FactSources;
  readonly #readCredential: (token: unknown) => Credential;
  readonly #ends: TokenEnds;
  readonly #finder: TokenFinder;
  readonly #limiter: Limiter;
  /** Loaded with the first signed token. */
  #signed: SignedTokens | null = null;

  constructor(ground: Ground, sources: FactSources) {
    this.#ground = ground;
    this.#sources = sources;
    this.#readCredential = credentialReader(ground.settings);
    this.#ends = new TokenEnds(tokenLength(ground.settings.tokenPrefix));
    this.#finder = new TokenFinder(ground, sources.cache);
    this.#limiter = new Limiter(ground);
  }

  readCredential(token: unknown): Credential {
    return this.#readCredential(token);
  }

  endpoint(call: Call): EndpointPolicy | null | undefined {
    if (call.endpoint === undefined) {
      const { requirement, organization } = call;
      if (requirement?.kind !== 'endpoint' || organization === null) return undefined;
      call.endpoint = this.#sources.directory.peek(organization, requirement.endpoint, this.#ground.time.last);
    }
    return call.endpoint;
  }

  credential(call: Call): Credential {
    call.credential ??= call.malformed
      ? 'token_malformed'
      : (this.#readFamiliar(call) ?? this.#readCredential(call.token));
    return call.credential;
  }

  /** Finds a token in the cache by the hash of its text, which needs no check of its form. `null`: it is not found so. */
  #readFamiliar(call: Call): Credential | null {
    const { token, proof } = call;
    // A proof that came with an API token is refused before its holder is looked for.
    if (typeof token !== 'string' || proof !== null || !this.#ends.has(token)) return null;
    const key = hash(token);
    const known = this.#sources.cache.peek(key, this.#ground.time.last);
    if (known === undefined || known === null) {
      this.#ends.forget(token);
      return null;
    }
    call.holder = known;
    return { key, secret: key, by: 'secret', signed: null };
  }

  holder(call: Call, credential: Exclude<Credential, string>): Holder | DenialReason | undefined {
    if (call.holder === undefined) {
      const now = this.#ground.time.last;
      if (credential.signed !== null) call.holder = this.#signed?.peek(credential, now);
      else {
        const known = this.#sources.cache.peek(credential.key, now);
        call.holder = known === null ? 'token_unknown' : known;
        if (known && typeof call.token === 'string' && credential.secret === credential.key) this.#ends.add(call.token);
      }
    }
    return call.holder;
  }

  /**
   * Loads a fact that is not in memory. Then it drops the facts from before the wait, so that nothing is decided by them: whatever
   * ended meanwhile would go unseen. They are found again, the holder last, and are in memory mostly.
   */
  async load(need: Need, call: Call, now: number): Promise<void> {
    const { cache, directory } = this.#sources;
    const { changes } = directory;
    call.awaited = [...call.awaited, need];
    await this.#wait(need, call, now);
    const account = call.knownHolder?.account;
    if (need !== 'holder' || (account && !cache.isCurrent(account))) call.forgetHolder();
    const isRead = need === 'endpoint' || need === 'holder';
    if (!isRead || directory.changes !== changes) call.endpoint = undefined;
  }

  async #wait(need: Need, call: Call, now: number): Promise<void> {
    switch (need) {
      case 'endpoint': {
        const { requirement, organization } = call;
        if (requirement?.kind !== 'endpoint' || organization === null) return;
        call.endpoint = await this.#sources.directory.find(organization, requirement.endpoint, now);
        return;
      }
      case 'holder':
        call.holder = (await this.#find(call.credential as Exclude<Credential, string>, now)) ?? 'token_unknown';
        return;
      case 'proof': {
        const { method, proof, mode } = call;
        const prove = call.knownHolder?.restriction?.prove;
        const { latest } = this.#ground.time;
        const use = mode === 'use' || mode === 'again' ? mode : 'look';
        call.proven = (await prove?.({ method, proof }, latest, use)) === true;
        return;
      }
      case 'charge': {
        const account = call.knownHolder?.account;
        if (account === null || account === undefined) return;
        const { observer } = this.#ground.events;
        const charge = () => this.#limiter.charge(account, call.mode === 'use');
        call.charge = await (observer === null ? charge() : observer.charge(charge));
        return;
      }
    }
  }

  #find(credential: Exclude<Credential, string>, now: number): Promise<Holder | DenialReason | null> {
    if (credential.signed === null) return this.#finder.find(this.#finder.bySecret(credential), now);
    return this.#signed?.find(credential, now) ?? this.#loadSigned().then((signed) => signed.find(credential, now));
  }

  /** Not called again once loaded, because `import` is slow even for a loaded module. */
  async #loadSigned(): Promise<SignedTokens> {
    const loaded = await import('./signed-tokens.js');
    const { cache, authenticators } = this.#sources;
    this.#signed ??= new loaded.SignedTokens(this.#ground, cache, this.#finder, authenticators);
    return this.#signed;
  }
}
