/** The media type of a hop, in the header `typ`. Nothing that accepts other tokens accepts it. */
export const HOP_TYPE = 'postern-hop+jwt';

/** The only algorithm of hops. */
export const HOP_ALGORITHM = 'EdDSA';

/** The longest life of a hop, in milliseconds. */
export const HOP_LIFE = 30_000;

/** The claims of a hop: who called, and the one call that it is for. */
export interface HopClaims {
  readonly iss: string;
  /** The service that the hop is for: `organization/endpoint`. */
  readonly aud: string;
  /** The id of the caller's token. */
  readonly sub: string;
  readonly owner: string | null;
  readonly organization: string;
  /** The names of the token's types. */
  readonly types: readonly string[];
  /** All scopes that the caller holds (RFC 6749 section 3.3). */
  readonly scope: string;
  /** The endpoints that the caller reaches; of a long list, only the one of `aud`. */
  readonly endpoints: '*' | readonly string[];
  /** The method of the call, as in RFC 9449 section 4.2. */
  readonly htm: string;
  /** The address of the call without its query. Its path is as it was sent. */
  readonly htu: string;
  /** Epoch seconds. */
  readonly iat: number;
  readonly exp: number;
}

/** The path of an address or of a request's target, as it was sent and without its query; `null` if there is none. */
export function pathIn(address: string): string | null {
  return /^(?:https?:\/\/[^/\\?#\s]+)?(\/[^?#]*)/i.exec(address)?.[1] ?? null;
}
