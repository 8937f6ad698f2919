import { expect, test } from 'vitest';
import { startProgram } from '../support/programs.js';

/** In characters. As many steps as its square are minutes; a few for each character are nothing. */
const SIZE = 128 * 1024;
/** How long one text may take, in milliseconds. It tells minutes from moments, and nothing finer. */
const FAR = 60_000;

test('whatever a stranger sends is read in as many steps as it is long', { timeout: 1_800_000 }, async () => {
  const child = startProgram('test/management/linear-child.ts', [String(SIZE)]);
  let at = 'nothing yet';
  const outcome = await new Promise<string>((resolve) => {
    const stuck = () => resolve(`no end of ${at}`);
    let watching = setTimeout(stuck, FAR);
    child.on('message', (message: string) => {
      at = message;
      clearTimeout(watching);
      if (message === 'done') resolve(message);
      else watching = setTimeout(stuck, FAR);
    });
    child.on('exit', (code) => resolve(`${at} ended the process with ${code}`));
  });
  child.kill('SIGKILL');
  expect(outcome).toBe('done');
});
