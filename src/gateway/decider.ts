import { unpolluted } from '../base/check.js';
import { type Allowed, denied } from '../domain/decision.js';
import { own, type Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { internalsOf } from '../instance/internals.js';
import { asker, type ComputedRequirement, reporter } from '../transports/ask.js';
import { readHeaders } from '../transports/fetch-credential.js';
import { rateLimitHeaders } from '../transports/rate-limit-headers.js';
import { callerBehind, type SocketRequest } from '../transports/zones.js';
import { AGAIN, type Answer, malformed, type Refusal, type Refused, refusals, refused } from './answers.js';
import { Call, type GatewayCall, type Told } from './call.js';
import type { SigningHops } from './hop/hops.js';
import { identityHeaders } from './identity.js';
import type { GatewayOptions, ReadGatewayOptions } from './options.js';
import { Unreadable } from './told.js';

/** Decides about calls, whatever transport told of them. */
export interface Decider {
  /**
   * Decides, and charges.
   *
   * @param peer the caller's address as the proxy's socket has it, or the proxy's own
   */
  decide(told: Told | Unreadable, peer: string): Promise<Answer>;
  /** Decides again about a call that was refused. Nothing is charged, and nothing can become an allow. */
  decideAgain(told: Told | Unreadable, peer: string): Promise<Refused>;
  /** Reports a fault and refuses the call. */
  refuse(error: unknown): Refusal;
}

/** One call that is asked about: a new object for each question, so each is decided and charged by itself. */
interface Asked {
  readonly call: GatewayCall;
  /** The caller, for the zone's rules. */
  readonly caller: SocketRequest;
  /** What a function said that the call needs. */
  needed: ComputedRequirement;
}

type RequirementOfCall = Extract<GatewayOptions['requirement'], (call: GatewayCall) => unknown>;

export function decider(
  postern: Postern<TokenTypes>,
  { requirement, isProxy, zone, places, challenge }: ReadGatewayOptions,
  hops: SigningHops | null,
): Decider {
  const { ground } = internalsOf(postern);
  const refusalFor = refusals(challenge);
  const report = reporter(postern, 'gateway');
  const askerAs = (mode: 'use' | 'again') =>
    asker<Asked, TokenTypes>(
      postern,
      // A constant is checked here already.
      typeof requirement === 'function' ? needOf : (requirement as Requirement),
      typeof zone === 'function' ? ({ caller }) => zone(caller) : zone,
      { transport: 'gateway', methodOf: ({ call }) => call.method, mode },
    );
  const ask = askerAs('use');
  const askAgain = askerAs('again');

  function needOf(asked: Asked): ComputedRequirement | Promise<ComputedRequirement> {
    const note = (each: ComputedRequirement) => {
      asked.needed = each;
      return each;
    };
    const needed = (requirement as RequirementOfCall)(asked.call);
    return needed instanceof Promise ? needed.then(note) : note(needed as ComputedRequirement);
  }

  function read(told: Told, peer: string) {
    const { headers } = told;
    const caller = callerBehind(peer, headers.get('x-forwarded-for') ?? '', isProxy);
    const call = new Call(told, caller.socket.remoteAddress ?? null);
    const presented = readHeaders(headers, () => call.target, places);
    return { asked: { call, caller, needed: null } as Asked, presented };
  }

  async function headersOf(decision: Allowed, asked: Asked): Promise<Record<string, string>> {
    const { principal } = decision;
    const { call } = asked;
    const limit = unpolluted(decision, 'limit');
    const signed =
      principal === null || hops === null
        ? ''
        : await hops.sign(principal, {
            audience: audienceOf(asked, principal.organization),
            htm: call.method,
            htu: `${call.scheme}://${call.host}${call.path}`,
          });
    return { ...identityHeaders(principal, signed), ...(limit !== undefined && rateLimitHeaders(limit)) };
  }

  /** `organization/endpoint`; of a requirement without an endpoint `organization/`, so that no name of another service equals it. */
  function audienceOf({ needed: computed }: Asked, organization: string): string {
    const needed = (typeof requirement === 'function' ? computed : requirement) as object;
    if (!Object.hasOwn(needed, 'endpoint')) return `${organization}/`;
    const { endpoint, organization: named } = needed as { endpoint: string; organization?: string | typeof own };
    return `${named === own ? organization : (named ?? ground.settings.organization)}/${endpoint}`;
  }

  return {
    async decide(told, peer) {
      if (told instanceof Unreadable) return refused(malformed(told.problem));
      const { asked, presented } = read(told, peer);
      const decision = await ask(asked, presented);
      if (!decision.allowed) return refused(refusalFor(decision));
      return { allowed: true, headers: await headersOf(decision, asked) };
    },
    async decideAgain(told, peer) {
      if (told instanceof Unreadable) return refused(malformed(told.problem));
      const { asked, presented } = read(told, peer);
      const decision = await askAgain(asked, presented);
      if (!decision.allowed) return refused(refusalFor(decision));
      // The proof is used up by now, by this call or by an earlier one.
      const isSpent = decision.principal !== null && presented.proof !== null;
      return refused(isSpent ? refusalFor(denied('proof_invalid')) : AGAIN);
    },
    refuse: (error) => refusalFor(report(error)),
  };
}
