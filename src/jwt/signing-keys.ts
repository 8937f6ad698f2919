import { PosternError } from '../domain/errors.js';
import { type GivenKeys, importSigner, type PublishedJwk, SIGNING_ALGORITHMS, type Signer } from './keys.js';
import { FOR_GOOD, localKeys } from './local-keys.js';
import type { VerificationKeys } from './verify.js';

/** What a rotation came to. */
export interface RotatedKeys {
  /** The `kid` of the key that signs next. */
  readonly kid: string;
  /** From when on it signs. */
  readonly signsFrom: Date;
}

/** How a signing key is rotated. */
export interface RotateOptions {
  /**
   * For a key that others may know: the new one signs at once, and every earlier one is withdrawn with all tokens that it
   * signed. Instances that share the store follow within a minute, verifiers by a JWKS within twice their `maxAge`. Default
   * `false`: no token fails.
   */
  readonly withdraw?: boolean | undefined;
}

/** The keys that access tokens are signed and verified with. */
export interface SigningKeys extends VerificationKeys {
  /** The key that signs now. */
  signer(): Promise<Signer>;
  /** The public halves: what signs now, what will, and what did as long as one of its tokens may live. */
  published(): Promise<readonly PublishedJwk[]>;
  /** @throws PosternError `input_invalid` where the keys are the application's own */
  rotate(options: RotateOptions): Promise<RotatedKeys>;
  /** For how long what was {@link published} may be kept elsewhere, in seconds. */
  readonly maxAge: number;
  /** For how long a signature that was verified counts, in milliseconds: keys may be withdrawn. */
  readonly trustedFor: number;
}

const MAX_AGE = 300;

/** Keys that the application gave. It rotates them itself: a new one is put after the first, and later before it. */
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
        'these keys are the application’s own: rotate them by giving a new one as the second of `keys`, and as the first once every verifier has fetched it',
        { path: 'keys' },
      );
    },
    maxAge: MAX_AGE,
    trustedFor: FOR_GOOD,
  };
}
