export const host = 'ts-jest';
export const how = 'TypeScript to CommonJS under Jest 30, with its type check';

export async function run(context) {
  await context.write({
    'package.json': {
      name: 'app',
      private: true,
      // A check of types needs `isolatedModules: false`, about which ts-jest warns under node16.
      jest: {
        testEnvironment: 'node',
        transform: { '\\.ts$': ['ts-jest', { diagnostics: { ignoreCodes: [151002] } }] },
      },
    },
    'tsconfig.json': {
      compilerOptions: {
        module: 'node16',
        target: 'es2022',
        strict: true,
        esModuleInterop: true,
        types: ['jest', 'node'],
        isolatedModules: false,
      },
    },
    'app.ts': `import express from 'express';
import { createPostern, memoryStore, type Principal } from 'postern';
import { guard } from 'postern/express';

export const postern = createPostern({ store: memoryStore() });
export const app = express();
app.get('/models', guard(postern, { scope: 'models:read' }), (req, res) => {
  const principal: Principal | null | undefined = req.principal;
  res.json({ owner: principal?.owner });
});
`,
    'app.test.ts': `import type { AddressInfo } from 'node:net';
import { app, postern } from './app';

test('the route is guarded', async () => {
  const server = app.listen(0);
  try {
    const url = \`http://127.0.0.1:\${(server.address() as AddressInfo).port}/models\`;
    const { token, record } = await postern.tokens.create({
      name: 'x', owner: 'ann', types: { developer: { scopes: ['models:read'] } },
    });
    const ask = () => fetch(url, { headers: { authorization: \`Bearer \${token}\` } });
    expect((await fetch(url)).status).toBe(401);
    expect(await (await ask()).json()).toEqual({ owner: 'ann' });
    await postern.tokens.revoke(record.id);
    expect((await ask()).status).toBe(401);
    // @ts-expect-error There is no resource 'model'.
    await expect(postern.authorize({ token, requirement: { scope: 'model:read' } })).rejects.toMatchObject({ code: 'scope_unknown' });
  } finally {
    server.close();
  }
});
`,
  });
  const { stderr } = await context.node([context.bin('jest'), '--ci']);
  if (!/^Tests: +1 passed, 1 total$/m.test(stderr) || /warn/i.test(stderr)) throw new Error(stderr);
  return ['a guarded Express route: 401, 200, and 401 after its token was revoked; a wrong scope does not compile'];
}
