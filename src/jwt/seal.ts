import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { PosternError } from '../domain/errors.js';
import { utf8 } from './utf8.js';

/** A text that was sealed, in clear. */
export interface Opened {
  readonly text: string;
  /** Whether the first secret opened it. `false`: it waits to be sealed again. */
  readonly current: boolean;
}

/** Encrypts what a store keeps for its issuer, so that who reads the store learns nothing and who writes to it forges nothing. */
export interface Seal {
  seal(text: string): Promise<string>;
  /** @throws PosternError `option_invalid` where no secret opens it, `record_unreadable` where it was never sealed */
  open(sealed: string): Promise<Opened>;
}

/** RFC 7518 sections 4.5 and 5.3: the key itself, and AES-256-GCM. Nothing else is taken. */
const HEADER = { alg: 'dir', enc: 'A256GCM' } as const;
/** Bound to this use and this issuer: the same secret may serve for others. */
const INFO = 'postern signing keys, A256GCM, version 1, ';

/** @param secrets the first one seals, all of them open */
export function sealFor(issuer: string, secrets: readonly Uint8Array[]): Seal {
  const info = utf8(INFO + issuer);
  const keys = secrets.map((secret) => hkdf(sha256, secret, undefined, info, 32));
  return {
    seal: (text) => new CompactEncrypt(utf8(text)).setProtectedHeader(HEADER).encrypt(keys[0] as Uint8Array),
    async open(sealed) {
      for (const [index, key] of keys.entries()) {
        const plain = await decrypt(sealed, key);
        if (plain !== null) return { text: new TextDecoder().decode(plain), current: index === 0 };
      }
      throw new PosternError(
        'option_invalid',
        'does not open the signing keys that the store holds for this issuer, and they were left as they are: ' +
          'give the key that they were sealed with (a list opens with each, and seals with its first)',
        { path: 'encryptionKey' },
      );
    },
  };
}

/** `null`: sealed with another key. */
async function decrypt(sealed: string, key: Uint8Array): Promise<Uint8Array | null> {
  try {
    const { plaintext } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: [HEADER.alg],
      contentEncryptionAlgorithms: [HEADER.enc],
    });
    return plaintext;
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_JWE_DECRYPTION_FAILED') return null;
    throw new PosternError(
      'record_unreadable',
      'what the store holds for this issuer can not be read: the entry is damaged. Restore it, or delete it and all tokens of this issuer end',
      { path: 'signing_keys', cause },
    );
  }
}
