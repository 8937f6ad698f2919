/**
 * The beginning of every derived token: `{"alg":"EdDSA","typ":"derived+jwt","kid":"` in base64url. Its length is a multiple of
 * 3 bytes, so it is the same for every `kid`.
 */
export const DERIVED_HEAD = 'eyJhbGciOiJFZERTQSIsInR5cCI6ImRlcml2ZWQrand0Iiwia2lkIjoi';
