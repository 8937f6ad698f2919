import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';

/** Makes tokens until it is killed. Prints each acknowledged one, with the secret after its rotation. */
const postern = createPostern({ store: sqliteStore({ filename: process.argv[2] as string }) });
const types = { developer: { scopes: ['models:write'] } } as const;

for (let index = 0; ; index++) {
  const { token, record } = await postern.tokens.create({ name: `token ${index}`, types });
  process.stdout.write(`created ${token}\n`);
  if (index % 3 === 1) {
    const rotated = await postern.tokens.rotate(record.id, { grace: '1d' });
    process.stdout.write(`created ${rotated.token}\n`);
  }
  if (index % 3 === 2) {
    await postern.tokens.revoke(record.id);
    process.stdout.write(`revoked ${token}\n`);
  }
}
