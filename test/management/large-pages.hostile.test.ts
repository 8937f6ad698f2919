import { describe, expect, test } from 'vitest';
import { type World, world } from './world.js';

const CROWD = 120;
const PAGE = 1_048_576;
/** What a page says beside the rows' own texts, and every grant of a deleted endpoint twice. */
const RENDERED = 3 * PAGE;
const LABELS = { labels: [{ key: 'k', value: 'x'.repeat(16_000) }] };

/** An organization with many tokens that are as large as tokens can be made over the wire. */
async function crowded() {
  const made = await world();
  const endpoints = Array.from({ length: 300 }, (_, index) => `e${index}-${'y'.repeat(90)}`);
  for (const id of endpoints) await made.postern.endpoints.create({ id, access: 'protected' });
  for (let index = 0; index < CROWD; index++) {
    made.clock.advance(1);
    await made.postern.tokens.create({ name: `fat ${index}`, metadata: LABELS, types: { user: { endpoints } } });
  }
  const names = Array.from({ length: CROWD }, (_, index) => `fat ${CROWD - 1 - index}`);
  return { ...made, endpoints, names };
}

async function get(made: World, path: string) {
  const { status, body, text } = await made.ask(`/api/v1/${path}`, { token: 'admin' });
  expect([status, text.length < RENDERED]).toEqual([200, true]);
  return body;
}

const namesOf = (items: readonly { readonly name: string }[]) =>
  items.map(({ name }) => name).filter((name) => name.startsWith('fat'));

test.each(['', '&search=fat'])(
  'every page of large tokens is bounded, and the cursor reaches them all%s',
  async (more) => {
    const made = await crowded();
    const seen: string[] = [];
    let pages = 0;
    for (let cursor = ''; cursor !== 'end'; pages++) {
      const body = await get(made, `api_tokens?count=1000${more}${cursor}`);
      seen.push(...namesOf(body.items));
      cursor = body.next_cursor === null ? 'end' : `&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual(made.names);
    expect(pages).toBeGreaterThan(3);
  },
);

describe.each(['', '&search=fat'])('by number%s', (more) => {
  test.each([7, 100, 1_000])('a client that steps by a fixed count of %i sees every token once', async (count) => {
    const made = await crowded();
    const seen: string[] = [];
    const totals = new Set<number>();
    for (let start = 0; ; start += count) {
      const body = await get(made, `api_tokens?start=${start}&count=${count}${more}`);
      expect([body.start, body.count]).toEqual([start, count]);
      expect(body.items).toHaveLength(Math.max(0, Math.min(count, body.total - start)));
      seen.push(...namesOf(body.items));
      totals.add(body.total);
      if (start + count >= body.total) break;
    }
    expect(seen).toEqual(made.names);
    expect(totals.size).toBe(1);
  });
});

test('a row by number names its shortened fields, and the token shows all of them', async () => {
  const made = await crowded();
  const { items } = await get(made, 'api_tokens?start=0&count=1');
  expect(items[0].cut_fields).toEqual(['labels', 'types']);
  expect(items[0].labels).toEqual([]);
  const { endpoints } = items[0].types.user;
  expect(endpoints.length).toBeGreaterThan(5);
  expect(endpoints).toEqual(made.endpoints.slice(0, endpoints.length));
  const whole = await get(made, `api_tokens/${items[0].uid}`);
  expect([whole.cut_fields, whole.labels, whole.types.user.endpoints]).toEqual([[], LABELS.labels, made.endpoints]);
  const [byCursor] = (await get(made, 'api_tokens?count=1')).items;
  expect({ ...byCursor, limits: [], secrets: [expect.anything()] }).toEqual(whole);
});

test('a small token is shown whole by number', async () => {
  const made = await world();
  const { items } = await get(made, 'api_tokens?start=0&count=100');
  for (const item of items) {
    const whole = await get(made, `api_tokens/${item.uid}`);
    expect({ ...item, limits: [], secrets: whole.secrets }).toEqual(whole);
  }
});

test('a damaged record moves no other token to another page', async () => {
  const made = await crowded();
  const [, second] = (await made.postern.tokens.list({ limit: 2 })).items;
  made.store.answer('listTokens', (rows) => {
    const read = rows as readonly { readonly id: string }[];
    return read.map((row) => (row.id === second?.id ? { ...row, types: '{' } : row));
  });
  const seen: string[] = [];
  for (let start = 0; start < CROWD; start += 50) {
    const body = await get(made, `api_tokens?start=${start}&count=50`);
    expect(body.count).toBe(50);
    seen.push(...namesOf(body.items));
  }
  expect(seen).toEqual(made.names.filter((name) => name !== second?.name));
});

test('grants of deleted endpoints do not take a page beyond its bound', async () => {
  const made = await crowded();
  for (const id of made.endpoints) await made.postern.endpoints.delete(id);
  const { items } = await get(made, 'api_tokens?count=1000');
  expect(items[0].dead_grants).toHaveLength(made.endpoints.length);
});

test('a page of the audit log is bounded, and the cursor reaches every change', async () => {
  const made = await crowded();
  const seen: string[] = [];
  for (let cursor = ''; cursor !== 'end'; ) {
    const body = await get(made, `audit?count=1000${cursor}`);
    const changes = body.items.filter(({ type }: { type: string }) => type === 'token.created');
    seen.push(...namesOf(changes.map(({ after }: { after: { name: string } }) => after)));
    cursor = body.next_cursor === null ? 'end' : `&cursor=${body.next_cursor}`;
  }
  expect(seen).toEqual(made.names);
});

test('a preview counts all, and names as many as one page holds', async () => {
  const made = await crowded();
  const [id] = made.endpoints;
  const preview = await made.postern.endpoints.preview(id as string, { access: 'private' });
  expect(preview.loseCount).toBe(CROWD + 1);
  expect(JSON.stringify(preview.lose).length).toBeLessThan(RENDERED);
  expect(preview.lose.length).toBeGreaterThan(5);
  await get(made, `endpoints/${id}/preview?access=private`);
});

test('the store is not asked for more large rows at once than a page holds', async () => {
  const made = await crowded();
  let most = 0;
  for (const method of ['listTokens', 'listChanges'] as const) {
    made.store.answer(method, (rows) => {
      most = Math.max(most, (rows as readonly unknown[]).length);
      return rows;
    });
  }
  await get(made, 'api_tokens?count=1000');
  await get(made, 'api_tokens?start=50&count=1000&search=fat');
  await get(made, 'audit?count=1000');
  expect(most).toBeGreaterThan(10);
  expect(most).toBeLessThanOrEqual(40);
});
