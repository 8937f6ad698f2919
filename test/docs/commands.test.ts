import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { type Block, blocksOf, PAGES } from './pages.js';
import { Shell } from './shell.js';

const { full, home, tarball } = inject('installed');
const isCommand = ({ language }: Block) => ['sh', 'console'].includes(language);
const isStep = (block: Block) => (isCommand(block) && block.notRun === null) || block.file !== null;
const shells: Shell[] = [];
afterAll(() => Promise.all(shells.map((shell) => shell.end())));

describe("a page's commands do what it says", () => {
  const pages = PAGES.filter((page) => blocksOf(page).some((block) => isCommand(block) && block.notRun === null));
  it.each(pages)('%s', async (page) => {
    const folder = join(home, page.replaceAll(/[^\w]+/g, '-'));
    await mkdir(folder);
    await writeFile(join(folder, '.curlrc'), 'silent\nshow-error\n');
    // A page that begins with an empty folder gets one, with the tarball in it.
    const installs = blocksOf(page).some(({ code, notRun }) => notRun === null && code.includes('npm install ./'));
    if (installs) await copyFile(tarball, join(folder, 'postern-0.1.0.tgz'));
    else await symlink(join(full, 'node_modules'), join(folder, 'node_modules'));

    const ports = { 3000: await freePort(), 3210: await freePort() };
    const shell = new Shell(folder, environment(folder));
    shells.push(shell);
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const needsDriver = major < 22 || (major === 22 && minor < 13);
    for (const block of blocksOf(page).filter(isStep)) {
      const withPorts = (text: string) => text.replaceAll(/\b(3000|3210)\b/g, (port) => String(ports[port as '3000']));
      if (block.given !== '') await shell.run(withPorts(block.given));
      await step(shell, folder, { ...block, code: withPorts(block.code) });
      // As the page says of older versions of Node.
      if (needsDriver && block.code.includes('npm install ./')) await shell.run('npm install --prefer-offline libsql');
      if (block.checks !== '') await shell.run(withPorts(block.checks));
    }
    await shell.end();
    await rm(folder, { recursive: true });
  });
});

it('a command that is not run says why', () => {
  const blocks = PAGES.flatMap(blocksOf).filter((block) => isCommand(block) && block.notRun !== null);
  expect(
    blocks.filter(({ notRun }) => !/\w+ \w+/.test(notRun ?? '')).map(({ page, line }) => `${page}:${line}`),
  ).toEqual([]);
});

async function step(shell: Shell, folder: string, block: Block): Promise<void> {
  const { page, line, language, code, file, serves, soon, continues } = block;
  if (file !== null) {
    const before = continues ? await readFile(join(folder, file), 'utf8') : '';
    return writeFile(join(folder, file), before + code);
  }
  if (language === 'sh') {
    await (serves ? shell.serve(code) : shell.run(code));
    return;
  }
  for (const { command, output } of exchanges(code)) {
    const printed = async () => plain(await (serves ? shell.serve(command) : shell.run(`set +e\n${command}\nset -e`)));
    const message = `${page}:${line}: ${command}`;
    if (soon) await expect.poll(printed, { message }).toMatch(pattern(output));
    else expect(await printed(), message).toMatch(pattern(output));
  }
}

/** The commands of a transcript (`$ …`, with lines that go on after a backslash), each with the output below it. */
function exchanges(code: string): { command: string; output: string }[] {
  return code
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [, command = '', output = ''] = /^((?:.*\\\n)*.*)\n?([\s\S]*)$/.exec(text) ?? [];
      return { command, output };
    });
}

/** In the output that a page shows, `…` stands for anything, and a run of spaces for any other. */
function pattern(output: string): RegExp {
  const source = plain(output).replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`^${source.replaceAll('…', '[\\s\\S]*')}$`);
}

const plain = (text: string) =>
  text
    .replaceAll('\r', '')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?\n/g, '\n')
    .trim();

/** Without what the test's own npm and vitest have set, and with a home of its own. */
function environment(folder: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|VITEST|POSTERN)/i.test(name));
  return {
    ...Object.fromEntries(own),
    POSTERN_CONFIG: join(folder, '.postern.yaml'),
    // Its .curlrc: curl shows its progress where it writes to no terminal.
    CURL_HOME: folder,
    NODE_NO_WARNINGS: '1',
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
