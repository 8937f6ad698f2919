import * as z from 'zod';
import { check } from '../base/check.js';
import type { Zone } from '../domain/endpoint.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { RequirementFor } from '../transports/ask.js';
import { credentialOptions, type HttpGuardOptions, httpOptions, placesOf } from '../transports/guard-options.js';
import { proxyList, type SocketRequest } from '../transports/zones.js';
import type { GatewayCall } from './call.js';
import type { HopsOptions } from './hop/hops.js';
import type { CallFrom, Source } from './told.js';

/** Options of `createGateway`. */
export interface GatewayOptions<T extends TokenTypes = TokenTypes>
  extends Pick<HttpGuardOptions<never>, 'realm' | 'resourceMetadata' | 'header' | 'otherAuthorization'> {
  /**
   * What a call needs: a requirement, or a function of the call. `endpointFromHost`, `endpointFromHeader` and
   * `endpointFromContext` make such functions.
   */
  readonly requirement: RequirementFor<GatewayCall, T>;
  /**
   * Addresses and networks of the proxies that may ask. `'unix:'` is a proxy that connects over a socket file. Nobody is trusted by
   * default. What they write about a call is believed, so nobody else may reach the gateway from these addresses.
   */
  readonly trustedProxies: readonly string[];
  /**
   * The zone of the caller behind the proxy: a value, or `internalNetworks(…)`, whose own `trustedProxies` are the proxies further
   * out. Default: every caller is external.
   */
  readonly zone?: Zone | ((request: SocketRequest) => Zone) | undefined;
  /**
   * Where a question over HTTP describes the call. `'forwarded'`: in `X-Forwarded-Method`, `-Host` and `-Uri` (nginx, Caddy, HAProxy,
   * Traefik); the proxy must set all three. `'request'`: the question has the call's own method, host and path (Envoy over HTTP,
   * Kubernetes Gateway API); the proxy must not hand on headers of these names. Default: `'forwarded'`, unless the requirement
   * is `endpointFromHost(…)` and the question's own host fits it.
   */
  readonly callFrom?: CallFrom | undefined;
  /** Signs the identity that the service behind gets. Default: none. */
  readonly hop?: HopsOptions | undefined;
}

const schema = z.strictObject({
  ...credentialOptions,
  ...httpOptions,
  requirement: z.custom<GatewayOptions['requirement']>(
    (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    'give a requirement, or a function of the call such as endpointFromHost(…)',
  ),
  trustedProxies: z.array(z.string(), "name the proxies that may ask, such as ['127.0.0.1']").min(1, 'name a proxy'),
  zone: z
    .custom<NonNullable<GatewayOptions['zone']>>(
      (value) => value === 'internal' || value === 'external' || typeof value === 'function',
      "give 'internal', 'external', or a function of the request",
    )
    .default('external'),
  callFrom: z.enum(['forwarded', 'request'], "use 'forwarded' or 'request'").optional(),
  hop: z
    .custom<HopsOptions>((value) => typeof value === 'object' && value !== null, 'give an issuer and keys')
    .optional(),
});

export type ReadGatewayOptions = ReturnType<typeof readGatewayOptions>;

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readGatewayOptions(options: unknown) {
  const given = check(schema, options, 'createGateway', 'option_invalid');
  const { requirement, trustedProxies, zone, callFrom, hop, header, otherAuthorization, ...challenge } = given;
  const fits = fitsOf(requirement);
  return {
    requirement,
    isProxy: proxyList(trustedProxies, 'createGateway'),
    zone,
    // Without a pattern nothing tells whether a caller wrote the forwarded host.
    source: {
      callFrom: callFrom ?? (fits === null ? 'forwarded' : null),
      fits: fits ?? (() => false),
    } satisfies Source,
    hop,
    places: placesOf(header, otherAuthorization),
    challenge,
  };
}

/** The test of a host pattern, or `null` for another requirement. */
function fitsOf(requirement: object): ((host: string) => boolean) | null {
  const fits = Object.hasOwn(requirement, 'fits') ? (requirement as { readonly fits: unknown }).fits : null;
  return typeof requirement === 'function' && typeof fits === 'function' ? (fits as (host: string) => boolean) : null;
}
