import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { FIREFOX, requireTool } from './tools.js';

/** One page of Firefox, driven over WebDriver BiDi with real keys and clicks. */
export interface FirefoxPage {
  go(url: string): Promise<void>;
  /** Clicks the first element of this role (`null`: any, a password has none) and accessible name, once it is there. */
  click(role: string | null, name: string): Promise<void>;
  /** Clicks the first element of a CSS selector, once it is there. */
  clickOn(selector: string): Promise<void>;
  type(text: string): Promise<void>;
  /** Waits until the expression is truthy in the page, and returns its value. */
  until<Value>(expression: string): Promise<Value>;
}

interface Node {
  readonly sharedId: string;
}

/** Starts Firefox without a window, and a page in it. The caller closes it. */
export async function startFirefox(): Promise<{ readonly page: FirefoxPage; close(): Promise<void> }> {
  requireTool('Firefox');
  const profile = await mkdtemp(join(tmpdir(), 'postern-firefox-'));
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const child = spawn(FIREFOX, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LANG: 'en_US.UTF-8' },
  });
  const socket = new WebSocket(`${await addressOf(child)}/session`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const send = commands(socket);
  await send('session.new', { capabilities: {} });
  const { contexts } = (await send('browsingContext.getTree', {})) as { contexts: readonly { context: string }[] };
  const context = contexts[0]?.context as string;
  return {
    page: pageOf(send, context),
    async close() {
      socket.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

type Send = (method: string, params: object) => Promise<unknown>;

function pageOf(send: Send, context: string): FirefoxPage {
  async function clickFound(locator: object): Promise<void> {
    let found: Node | undefined;
    while (found === undefined) {
      const { nodes } = (await send('browsingContext.locateNodes', { context, locator })) as { nodes: readonly Node[] };
      [found] = nodes;
      if (found === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const element = { sharedId: found.sharedId };
    await send('script.callFunction', {
      functionDeclaration: '(element) => element.scrollIntoView({ block: "center" })',
      arguments: [element],
      target: { context },
      awaitPromise: false,
    });
    const actions = [
      { type: 'pointerMove', x: 0, y: 0, origin: { type: 'element', element } },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    await send('input.performActions', { context, actions: [{ type: 'pointer', id: 'mouse', actions }] });
  }

  return {
    async go(url) {
      await send('browsingContext.navigate', { context, url, wait: 'complete' });
    },
    click: (role, name) => clickFound({ type: 'accessibility', value: { ...(role !== null && { role }), name } }),
    clickOn: (selector) => clickFound({ type: 'css', value: selector }),
    async type(text) {
      const actions = [...text].flatMap((value) => [
        { type: 'keyDown', value },
        { type: 'keyUp', value },
      ]);
      await send('input.performActions', { context, actions: [{ type: 'key', id: 'keys', actions }] });
    },
    async until<Value>(expression: string) {
      for (;;) {
        const answer = await send('script.evaluate', { expression, target: { context }, awaitPromise: true });
        const { value } = (answer as { result: { value?: Value } }).result;
        if (value) return value;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

function addressOf({ stderr, ...child }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    stderr?.once('close', () => reject(new Error(`Firefox ended (${child.exitCode}): ${said}`)));
  });
}

function commands(socket: WebSocket): Send {
  const waiting = new Map<number, (answer: { readonly type: string; readonly result?: unknown }) => void>();
  let last = 0;
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data));
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return async (method, params) => {
    last += 1;
    const id = last;
    const answered = new Promise<{ readonly type: string; readonly result?: unknown }>((resolve) =>
      waiting.set(id, resolve),
    );
    socket.send(JSON.stringify({ id, method, params }));
    const answer = await answered;
    if (answer.type === 'error') throw new Error(`${method}: ${JSON.stringify(answer)}`);
    return answer.result;
  };
}
