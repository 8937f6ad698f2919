/** An authenticator could not verify a signed token: its issuer's keys are not available, or it failed. */
export class IssuerFault extends Error {
  constructor(cause: unknown) {
    super('the issuer of this token can not be asked', { cause });
  }
}
