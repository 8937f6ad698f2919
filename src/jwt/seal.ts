import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { PosternError } from '../domain/errors.js';
import { utf8 } from './utf8.js';

/** A decrypted text. */
export interface Opened {
  readonly text: string;
  /** Whether the first secret opened it. If not, it should be sealed again. */
  readonly current: boolean;
}

/** Encrypts the signing keys in the store: readers of the store learn nothing, and writers can forge nothing. */
export interface Seal {
  seal(text: string): Promise<string>;
  /** @throws PosternError `option_invalid` if no secret opens it, `record_unreadable` if it is no sealed text */
  open(sealed: string): Promise<Opened>;
}

/** Direct encryption with AES-256-GCM (RFC 7518 sections 4.5 and 5.3). Nothing else is accepted. */
const HEADER = { alg: 'dir', enc: 'A256GCM' } as const;
/** Binds the key to this use and this issuer, so that the same secret may serve others too. */
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
        'does not open the signing keys of this issuer in the store, which were left as they are: ' +
          'give the key that they were sealed with (a list opens with each of its keys and seals with the first)',
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
      'the entry of this issuer in the store is damaged: restore it, or delete it, which ends all tokens of this issuer',
      { path: 'signing_keys', cause },
    );
  }
}
