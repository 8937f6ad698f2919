import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';

/** Makes tokens until it is killed. Prints each one only when it was acknowledged, with the secret it was rotated to. */
const [connectionString, schema] = process.argv.slice(2) as [string, string];
const postern = createPostern({ store: postgresStore({ connectionString, schema }) });
const types = { developer: { scopes: ['models:write'] } } as const;

async function write(lane: number): Promise<never> {
  for (let index = 0; ; index++) {
    const { token, record } = await postern.tokens.create({ name: `token ${lane} ${index}`, types });
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
}

await Promise.all(Array.from({ length: 4 }, (_, lane) => write(lane)));
