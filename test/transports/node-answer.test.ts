import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { sendAnswer } from '../../src/transports/node-answer.js';

const ANSWER = { status: 401, headers: { 'X-A': 'b' }, body: 'no' } as const;

/** A response like Node's, with a record of its calls. */
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

describe('an answer of a guard on node:http', () => {
  test('is sent whole if none was begun', () => {
    const { fake, done } = response({});
    sendAnswer(fake, ANSWER);
    expect([fake.statusCode, done]).toEqual([401, ['setHeader', 'end']]);
  });

  test('is not added to a begun one, whose connection is cut', () => {
    const { fake, done } = response({ headersSent: true });
    sendAnswer(fake, ANSWER);
    expect([fake.statusCode, done]).toEqual([200, ['destroy']]);
  });

  test('leaves an ended one alone', () => {
    for (const state of [{ headersSent: true, writableEnded: true }, { writableEnded: true }]) {
      const { fake, done } = response(state);
      sendAnswer(fake, ANSWER);
      expect([fake.statusCode, done]).toEqual([200, []]);
    }
  });

  test.each(['setHeader', 'end'] as const)('does not throw if %s does', (failing) => {
    const { fake, done } = response({}, failing);
    expect(() => sendAnswer(fake, ANSWER)).not.toThrow();
    expect(done.at(-1)).toBe('destroy');
  });

  test('does not throw if cutting the connection does', () => {
    const { fake } = response({ headersSent: true }, 'destroy');
    expect(() => sendAnswer(fake, ANSWER)).not.toThrow();
  });

  test('is never sent by half', async () => {
    const server = createServer((_, real) => sendAnswer(real, { ...ANSWER, headers: { 'X-A': 'line\nbreak' } }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    server.close();
  });
});
