import { expect, it } from 'vitest';
import { decode, encode, type Message, ofEndpoints, ofToken } from '../../src/stores/shared/feed/message.js';

it.each<Message>([
  { kind: 'change', id: 'c', invalidation: ofToken('A "strange", token\n') },
  { kind: 'change', id: 'c', invalidation: ofEndpoints('acme') },
  { kind: 'change', id: 'c', invalidation: { kind: 'everything' } },
  { kind: 'change', id: 'c', invalidation: { ...ofToken('t'), at: 1767225600000 } },
  { kind: 'change', id: 'c', invalidation: { ...ofEndpoints('acme'), at: 0 } },
  { kind: 'beat', instance: 'a' },
  { kind: 'question', id: 'q', instance: 'a' },
  { kind: 'answer', id: 'q', instance: 'a' },
])('message %j is decoded as it was encoded', (message) => {
  expect(decode(encode(message))).toEqual(message);
});

it.each(['', 'null', '{}', '["token"]', '["token","c",5]', '["future","c","x"]', 'not json'])(
  'the unreadable message %j means "forget everything"',
  (text) => {
    expect(decode(text)).toMatchObject({ kind: 'change', invalidation: { kind: 'everything' } });
  },
);
