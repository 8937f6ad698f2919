/** An authenticator could not tell whether a signed token is good: its issuer's keys can't be had, or it failed. */
export class IssuerFault extends Error {
  constructor(cause: unknown) {
    super('the issuer of this token can not be asked', { cause });
  }
}
