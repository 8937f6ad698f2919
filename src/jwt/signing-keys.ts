import { PosternError } from '../domain/errors.js';
import { type GivenKeys, importSigner, type PublishedJwk, SIGNING_ALGORITHMS, type Signer } from './keys.js';
import { FOR_GOOD, localKeys } from './local-keys.js';
import type { VerificationKeys } from './verify.js';

/** The result of a rotation. */
export interface RotatedKeys {
  /** The `kid` of the key that signs next. */
  readonly kid: string;
  /** The time from which it signs. */
  readonly signsFrom: Date;
}

/** Options of a rotation. */
export interface RotateOptions {
  /**
   * For a key that may have leaked: the new key signs at once, and all earlier keys are withdrawn, with all tokens that they
   * signed. Instances that share the store follow within a minute, verifiers with a JWKS within twice their `maxAge`. Default
   * `false`: no token fails.
   */
  readonly withdraw?: boolean | undefined;
}

/** The keys that sign and verify access tokens. */
export interface SigningKeys extends VerificationKeys {
  /** The key that signs now. */
  signer(): Promise<Signer>;
  /** The public halves of current and future signing keys, and of earlier ones while their tokens may live. */
  published(): Promise<readonly PublishedJwk[]>;
  /** @throws PosternError `input_invalid` if the keys are the application's own */
  rotate(options: RotateOptions): Promise<RotatedKeys>;
  /** How long others may cache the {@link published} keys, in seconds. */
  readonly maxAge: number;
  /** How long a verified signature is trusted, in milliseconds. Limited, because keys may be withdrawn. */
  readonly trustedFor: number;
}

const MAX_AGE = 300;

/** The application's own keys. To rotate them, it adds a new key after the first, and later moves it to the front. */
export function givenKeys({ signing, published }: GivenKeys): SigningKeys {
  const verification = localKeys({ keys: published }, SIGNING_ALGORITHMS);
  let signer: Promise<Signer> | null = null;
  return {
    signer() {
      signer ??= importSigner(signing);
      return signer;
    },
    find: (header) => verification.find(header),
    published: async () => published,
    rotate: async () => {
      throw new PosternError(
        'input_invalid',
        'these keys are the application’s own: to rotate them, add a new key as the second of `keys`, and move it to the front once every verifier has fetched it',
        { path: 'keys' },
      );
    },
    maxAge: MAX_AGE,
    trustedFor: FOR_GOOD,
  };
}
