import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { denied } from '../../src/domain/decision.js';
import { grpcAnswers } from '../../src/transports/grpc/grpc-status.js';
import { httpAnswers } from '../../src/transports/http-answer.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (page: string) => readFile(join(root, page), 'utf8');
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'examples/README.md',
  '.github/CONTRIBUTING.md',
  ...(await readdir(join(root, 'docs'))).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`),
];

/** The anchors of a page, as GitHub makes them of its headings. */
async function anchorsOf(page: string): Promise<string[]> {
  const headings = [...(await read(page)).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(PAGES)('%s', (page) => {
  it('has links that lead somewhere', async () => {
    const targets = [...(await read(page)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken: string[] = [];
    for (const target of targets) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      const leads = existsSync(join(root, file)) && (anchor === undefined || (await anchorsOf(file)).includes(anchor));
      if (!leads) broken.push(target);
    }
    expect(broken).toEqual([]);
  });

  it('names files that are there', async () => {
    const named = [...(await read(page)).matchAll(/`((?:src|test|docs|examples)\/[\w./-]+)`/g)].map(([, path]) => path);
    expect(named.filter((path) => !existsSync(join(root, path as string)))).toEqual([]);
  });
});

describe.each(['README.md', 'docs/contract.md'])('the table of reasons in %s', async (page) => {
  const http = httpAnswers();
  const grpc = grpcAnswers(undefined, () => {});
  const rows = [...(await read(page)).matchAll(/^\| (`\w+`.*?) \| (\d{3}) \|(.*)$/gm)].flatMap(
    ([, names = '', code, rest = '']) =>
      // An explanation in brackets may name other reasons.
      [...names.replace(/\(.*\)/, '').matchAll(/`(\w+)`/g)].map(([, reason = '']) => ({ reason, code, rest })),
  );

  it('has every reason once', () => {
    const reasons = Object.keys({
      token_missing: 0,
      token_malformed: 0,
      token_unknown: 0,
      token_expired: 0,
      token_revoked: 0,
      proof_invalid: 0,
      scope_missing: 0,
      endpoint_not_granted: 0,
      endpoint_unknown: 0,
      endpoint_private: 0,
      requirement_missing: 0,
      rate_limited: 0,
      unavailable: 0,
      internal_error: 0,
    } satisfies Record<Parameters<typeof denied>[0], 0>);
    expect(rows.map(({ reason }) => reason).toSorted()).toEqual(reasons.toSorted());
  });

  it.each(rows)('says how $reason is answered', ({ reason, code, rest }) => {
    const denial = denied(reason as Parameters<typeof denied>[0]);
    expect(String(http(denial).status)).toBe(code);
    const { code: told } = grpc(denial, { path: '/', metadata: new Metadata() } as Parameters<typeof grpc>[1]);
    expect(rest).toContain(` ${status[told]} |`);
  });
});
