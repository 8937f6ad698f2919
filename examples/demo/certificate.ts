import { generate } from 'selfsigned';

/** A key and a certificate for this machine. It is its own authority: a client that is given it trusts it. */
export async function createCertificate(): Promise<{ readonly key: string; readonly certificate: string }> {
  const { private: key, cert: certificate } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key, certificate };
}
