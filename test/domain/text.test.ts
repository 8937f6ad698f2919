import { expect, test } from 'vitest';
import { redact } from '../../src/domain/text.js';

const JWT = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
const TOKEN = `pst_${'a'.repeat(49)}`;

test.each([
  [`sent ${JWT}.`, 'sent eyJhbG….'],
  [`token-${JWT}`, 'token-eyJhbG…'],
  [`a.${JWT}`, 'a.eyJhbG…'],
  [`(${JWT}) and ${JWT}`, '(eyJhbG…) and eyJhbG…'],
  [`a.b.c ${JWT}`, 'a.b.c eyJhbG…'],
  [TOKEN, 'pst_aaaa…'],
  ['postgres://user:secret@host/db', 'postgres://…@host/db'],
  ['-http+x://user@host', '-http+x://…@host'],
])('%s is shown as %s', (text, shown) => {
  expect(redact(text)).toBe(shown);
});

test.each(['db.acme.dev is down', 'eyJhbGci.only', 'a.b.eyJhbGci', 'see https://acme.dev/x', 'ada@acme.dev'])(
  '%s stays',
  (text) => {
    expect(redact(text)).toBe(text);
  },
);
