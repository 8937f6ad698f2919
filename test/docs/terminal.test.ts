import { readFile, writeFile } from 'node:fs/promises';
import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { expect, it } from 'vitest';
import { theCommand } from '../cli/command.js';
import { ROOT } from './pages.js';
import { terminalPicture } from './terminal.js';

const postern = theCommand();
const PICTURE = `${ROOT}docs/images/terminal-explain.svg`;

it('the picture of a terminal shows what postern explain prints', async () => {
  const instance = createPostern({ store: sqliteStore({ filename: postern.path('postern.db') }) });
  await instance.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token, record } = await instance.tokens.create({
    name: 'reports',
    types: { developer: { scopes: ['models:read'] } },
  });
  await instance.close();

  const args = ['explain', '--endpoint', 'summarizer', '--token-file', '-'];
  const { stdout } = await postern.run(args, { input: token, env: { POSTERN_STORE: 'sqlite:postern.db' } });
  const picture = terminalPicture(
    'postern explain: each check of a decision, and the grant that would change it',
    'echo "$TOKEN" | postern explain --endpoint summarizer --token-file -',
    stdout.replaceAll(record.id, '4pMxNWvBeWw7rA4aPF8gDk'),
  );
  if (process.env.POSTERN_DOCS) await writeFile(PICTURE, picture);
  expect(await readFile(PICTURE, 'utf8')).toBe(picture);
});
