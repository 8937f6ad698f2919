import assert from 'node:assert/strict';
import {
  aChange,
  anEndpoint,
  aSecret,
  aToken,
  aUsage,
  insert,
  insertToken,
  next,
  replace,
  type StoreCase,
  T0,
} from './case.js';

/** Texts that broke other projects. None has NUL or half a surrogate pair: postern refuses both. */
const HOSTILE: readonly string[] = [
  "'; DROP TABLE tokens; --",
  '"quoted" \'and\' `ticked`',
  'back\\slash \\0 \\u0000 %s %n {{y}}',
  'null',
  '0',
  ' leading and trailing ',
  'line\r\nend\tand\u2028separators\u2029',
  '\u202eright to left\u202c \u200b\u200d\ufeff',
  'e\u0301 is not \u00e9',
  'ﬀ İ ı ß ẞ',
  '\u{1f469}\u200d\u{1f680} \u{10ffff} \uffff \ue000',
  '\u{1f600}'.repeat(200),
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(2_000),
];

/** Texts are returned as they were written, and are never interpreted. */
export const textCases: readonly StoreCase[] = [
  [
    'every text field is read exactly as it was written',
    async (store) => {
      for (const [index, text] of HOSTILE.entries()) {
        const token = aToken(`t${index}`, {
          organization: text,
          owner: text,
          name: text,
          description: text,
          hint: text,
          types: text,
          metadata: text,
          limits: text,
          typeNames: [text, `${text}2`],
        });
        await insert(store, token, aSecret(`t${index}`, { pepper: text }));
        assert.deepEqual({ ...(await store.findToken(token.id)) }, token);
        const [secret] = await store.listSecrets(token.id);
        assert.equal(secret?.pepper, text);
        for (const filter of [{ owner: text }, { type: text }, { search: text }]) {
          const listed = await store.listTokens({ organization: text, limit: 10, ...filter });
          assert.deepEqual(
            listed.map((each) => ({ ...each })),
            [token],
            `${Object.keys(filter)}: ${text.slice(0, 20)}`,
          );
        }
        const renamed = next(token, { description: `${text}${text}` });
        assert.equal(await replace(store, renamed, 1), true);
        assert.deepEqual({ ...(await store.findToken(token.id)) }, renamed);
      }
    },
  ],
  [
    'texts of tokens that are written in one call are read exactly as they were written',
    async (store) => {
      const given = HOSTILE.map((text, index) => {
        const id = `t${index}`;
        const fields = { organization: text, owner: text, name: text, description: text, hint: text };
        const token = aToken(id, {
          ...fields,
          types: text,
          metadata: text,
          limits: text,
          typeNames: [text, `${text}2`],
        });
        const change = aChange('token.imported', id, text, {
          from: text,
          actor: { kind: 'principal', tokenId: text, owner: text },
        });
        return { token, secret: aSecret(id, { pepper: text }), change };
      });
      assert.deepEqual(
        await store.insertTokens(given),
        given.map(() => true),
      );
      for (const { token, secret, change } of given) {
        assert.deepEqual({ ...(await store.findToken(token.id)) }, token);
        assert.equal((await store.listSecrets(token.id))[0]?.pepper, secret.pepper);
        const [made] = await store.listChanges({ organization: null, subject: token.id, limit: 2 });
        assert.deepEqual({ ...made }, change);
      }
    },
  ],
  [
    'ids are compared by code unit: names of built-in properties are ids like any other',
    async (store) => {
      const ids = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];
      for (const id of ids) {
        assert.equal(await store.findToken(id), null);
        assert.equal(await store.findEndpoint(id, id), null);
        await insert(store, aToken(id));
        const endpoint = anEndpoint(id, { organization: id });
        assert.equal(await store.insertEndpoint(endpoint, aChange('endpoint.created', id, id)), true);
        assert.equal((await store.findToken(id))?.id, id);
        assert.deepEqual({ ...(await store.findEndpoint(id, id)) }, endpoint);
      }
      assert.equal((await store.listTokens({ organization: 'acme', limit: 10 })).length, ids.length);
    },
  ],
  [
    'types, metadata and limits are opaque: invalid JSON, and JSON in another form, stays as it is',
    async (store) => {
      const texts = [
        '',
        '{',
        '{"a": 1}',
        '{"b":1,"a":1,"a":2}',
        '[1.0,1e3,"\\u0041"]',
        'not json at all',
        '  {}  ',
        '{"__proto__":{"x":1}}',
      ];
      for (const [index, text] of texts.entries()) {
        const token = await insert(store, aToken(`t${index}`, { types: text, metadata: text, limits: text }));
        assert.deepEqual({ ...(await store.findToken(`t${index}`)) }, token);
      }
      const listed = await store.listTokens({ organization: 'acme', limit: 100 });
      assert.deepEqual(
        listed.map(({ metadata }) => metadata),
        [...texts].reverse(),
      );
    },
  ],
  [
    'large metadata is kept whole',
    async (store) => {
      const metadata = JSON.stringify({ text: '\u{1f600}é\\"'.repeat(20_000) });
      await insert(store, aToken('t1', { metadata }));
      assert.equal((await store.findToken('t1'))?.metadata, metadata);
    },
  ],
  [
    'a change is kept with its actor and address, under any names',
    async (store) => {
      for (const [index, text] of HOSTILE.entries()) {
        const actor = { kind: 'principal', tokenId: text, owner: index % 2 === 0 ? text : null } as const;
        const change = aChange('token.created', text, text, { actor, from: text, before: text, after: text });
        assert.equal(await insertToken(store, aToken(`t${index}`), aSecret(`t${index}`), change), true);
        const found = await store.listChanges({ organization: text, subject: text, limit: 10 });
        assert.deepEqual(
          found.map((each) => ({ ...each })),
          [change],
        );
      }
    },
  ],
  [
    'uses of an endpoint are counted under its name, under any name',
    async (store) => {
      await insert(store, aToken('t1'));
      await store.recordUsage([aUsage('t1', T0, Object.fromEntries(HOSTILE.map((text) => [text, 1])))]);
      const found = await store.listUsage(['t1']);
      assert.deepEqual(new Set(found.map(({ endpoint }) => endpoint)), new Set(HOSTILE));
      assert.equal(found.length, HOSTILE.length);
    },
  ],
];
