import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { sendAnswer } from '../../src/transports/node-answer.js';

const ANSWER = { status: 401, headers: { 'X-A': 'b' }, body: 'no' } as const;

/** A response as Node makes it, and what was done to it. */
function response(state: Partial<ServerResponse>, failing?: 'setHeader' | 'end' | 'destroy') {
  const done: string[] = [];
  const note = (name: 'setHeader' | 'end' | 'destroy') => () => {
    done.push(name);
    if (failing === name) throw new Error(name);
  };
  const fake = {
    statusCode: 200,
    headersSent: false,
    writableEnded: false,
    setHeader: note('setHeader'),
    end: note('end'),
    destroy: note('destroy'),
    ...state,
  };
  return { fake, done };
}

describe('an answer', () => {
  test('is sent whole where none was begun', () => {
    const { fake, done } = response({});
    sendAnswer(fake, ANSWER);
    expect([fake.statusCode, done]).toEqual([401, ['setHeader', 'end']]);
  });

  test('is not added to one that was begun: its connection is cut', () => {
    const { fake, done } = response({ headersSent: true });
    sendAnswer(fake, ANSWER);
    expect([fake.statusCode, done]).toEqual([200, ['destroy']]);
  });

  test('leaves one that is over alone', () => {
    for (const state of [{ headersSent: true, writableEnded: true }, { writableEnded: true }]) {
      const { fake, done } = response(state);
      sendAnswer(fake, ANSWER);
      expect([fake.statusCode, done]).toEqual([200, []]);
    }
  });

  test.each(['setHeader', 'end'] as const)('never throws, though %s does', (failing) => {
    const { fake, done } = response({}, failing);
    expect(() => sendAnswer(fake, ANSWER)).not.toThrow();
    expect(done.at(-1)).toBe('destroy');
  });

  test('never throws where even cutting the connection does', () => {
    const { fake } = response({ headersSent: true }, 'destroy');
    expect(() => sendAnswer(fake, ANSWER)).not.toThrow();
  });

  test('that can not be sent is no half an answer', async () => {
    const server = createServer((_, real) => sendAnswer(real, { ...ANSWER, headers: { 'X-A': 'line\nbreak' } }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    server.close();
  });
});
