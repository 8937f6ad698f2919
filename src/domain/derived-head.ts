/**
 * What every derived token begins with: `{"alg":"EdDSA","typ":"derived+jwt","kid":"` in base64url. A multiple of 3 bytes, so
 * that it is the same whatever `kid` follows.
 */
export const DERIVED_HEAD = 'eyJhbGciOiJFZERTQSIsInR5cCI6ImRlcml2ZWQrand0Iiwia2lkIjoi';
