import { Redis } from 'ioredis';
import { timeKey } from '../../src/stores/redis/keys.js';
import { T0 } from '../../src/testing/store-cases/case.js';

/** Text that a careless search in a record would stumble over. */
export const ODD = 'tab\t "q",\\ ,"ownership":"personal" \n\u{1f469}';

/**
 * All that the released version 1 of the store kept, as it kept it, after this: tokens t1 to t4 were created, t2 of the
 * organization's own, t3 with {@link ODD} for its texts and an owner though the organization's own; t2 was rotated, t3 updated,
 * t4 deleted; t1 was used; the endpoint a was created. Each is a command, but for the prefix.
 */
const KEPT: readonly (readonly string[])[] = [
  ['ZADD', 'batches', '1795553114343', '1c34d733-f53c-4a81-a641-c3b3e3cb7a0d'],
  [
    'HSET',
    'changes',
    'v1xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v1xxxxxxxxxxxxxxxxxxxx","type":"token.created","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"acme","subject":"t1","before":null,"after":null}',
    'v2xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v2xxxxxxxxxxxxxxxxxxxx","type":"token.created","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"acme","subject":"t2","before":null,"after":null}',
    'v3xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v3xxxxxxxxxxxxxxxxxxxx","type":"token.created","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","subject":"t3","before":null,"after":null}',
    'v4xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v4xxxxxxxxxxxxxxxxxxxx","type":"token.created","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"acme","subject":"t4","before":null,"after":null}',
    'v5xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v5xxxxxxxxxxxxxxxxxxxx","type":"token.rotated","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"acme","subject":"t2","before":null,"after":null}',
    'v6xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v6xxxxxxxxxxxxxxxxxxxx","type":"token.updated","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","subject":"t3","before":null,"after":null}',
    'v7xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v7xxxxxxxxxxxxxxxxxxxx","type":"token.deleted","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"acme","subject":"t4","before":null,"after":null}',
    'v8xxxxxxxxxxxxxxxxxxxx',
    '{"id":"v8xxxxxxxxxxxxxxxxxxxx","type":"endpoint.created","at":1767225600000,"actor":{"kind":"application"},"from":null,"organization":"acme","subject":"a","before":null,"after":null}',
  ],
  ['HSET', 'counts', 't1', '{"a":["3","1767225600020"],"":["1","1767225600020"]}'],
  [
    'HSET',
    'endpoints',
    '"acme":a',
    '1\n"uid of acme/a"\n{"uid":"uid of acme/a","organization":"acme","id":"a","access":"protected","createdAt":1767225600000,"updatedAt":1767225600000,"version":1}',
  ],
  [
    'ZADD',
    'index',
    '0',
    'a:2gpeu2drugwt1',
    '0',
    'a:2gpeu2drugxt2',
    '0',
    'a:2gpeu2drugyt3',
    '0',
    'o"acme":2gpeu2drugwt1',
    '0',
    'o"acme":2gpeu2drugxt2',
    '0',
    'o"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}":2gpeu2drugyt3',
    '0',
    'p["acme","ada"]:2gpeu2drugwt1',
    '0',
    'p["tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}"]:2gpeu2drugyt3',
    '0',
    'x:2gpeu2druh1t2',
    '0',
    'y"acme":2gpeu2druh1t2',
  ],
  [
    'ZADD',
    'log',
    '0',
    'a:2gpeu2drugwv1xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv2xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv3xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv4xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv5xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv6xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv7xxxxxxxxxxxxxxxxxxxx',
    '0',
    'a:2gpeu2drugwv8xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"acme":2gpeu2drugwv1xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"acme":2gpeu2drugwv2xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"acme":2gpeu2drugwv4xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"acme":2gpeu2drugwv5xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"acme":2gpeu2drugwv7xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"acme":2gpeu2drugwv8xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}":2gpeu2drugwv3xxxxxxxxxxxxxxxxxxxx',
    '0',
    'o"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}":2gpeu2drugwv6xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"a":2gpeu2drugwv8xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t1":2gpeu2drugwv1xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t2":2gpeu2drugwv2xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t2":2gpeu2drugwv5xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t3":2gpeu2drugwv3xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t3":2gpeu2drugwv6xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t4":2gpeu2drugwv4xxxxxxxxxxxxxxxxxxxx',
    '0',
    's"t4":2gpeu2drugwv7xxxxxxxxxxxxxxxxxxxx',
  ],
  ['ZADD', 'names', '0', '"acme":a'],
  ['SET', 'schema', '1'],
  [
    'HSET',
    'secrets',
    '0000000000000000000000000000000000000000000000000000000074000031',
    '-\n1767225600000\nnull\nt1',
    '0000000000000000000000000000000000000000000000000000000074000032',
    '1767225600008\n1767225600000\nnull\nt2',
    '0000000000000000000000000000000000000000000000000000000074000033',
    '-\n1767225600000\n"1"\nt3',
    '000000000000007400003200002000007300006500006300006f00006e000064',
    '-\n1767225600007\nnull\nt2',
  ],
  ['SET', 'seq', '4'],
  [
    'HSET',
    'tokens',
    't1',
    '1\n0000000000000000000000000000000000000000000000000000000074000031\na:2gpeu2drugw\to"acme":2gpeu2drugw\tp["acme","ada"]:2gpeu2drugw\n{"id":"t1","organization":"acme","owner":"ada","ownership":"personal","name":"token t1","description":"","types":"{\\"developer\\":{\\"scopes\\":[\\"models:read\\"]}}","typeNames":["developer"],"metadata":"{}","hint":"pst_abcd","limits":null,"createdAt":1767225600000,"updatedAt":1767225600000,"expiresAt":null,"revokedAt":null,"version":1}',
    't2',
    '2\n0000000000000000000000000000000000000000000000000000000074000032,000000000000007400003200002000007300006500006300006f00006e000064\na:2gpeu2drugx\to"acme":2gpeu2drugx\tx:2gpeu2druh1\ty"acme":2gpeu2druh1\n{"id":"t2","organization":"acme","owner":null,"ownership":"organization","name":"token t2","description":"","types":"{\\"developer\\":{\\"scopes\\":[\\"models:read\\"]}}","typeNames":["developer"],"metadata":"{}","hint":"pst_abcd","limits":null,"createdAt":1767225600001,"updatedAt":1767225600001,"expiresAt":1767225600005,"revokedAt":null,"version":2}',
    't3',
    '2\n0000000000000000000000000000000000000000000000000000000074000033\na:2gpeu2drugy\to"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}":2gpeu2drugy\tp["tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}"]:2gpeu2drugy\n{"id":"t3","organization":"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","owner":"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","ownership":"organization","name":"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","description":"tab\\t \\"q\\",\\\\ ,\\"ownership\\":\\"personal\\" \\n\u{1f469}","types":"{\\"developer\\":{\\"scopes\\":[\\"models:read\\"]}}","typeNames":["developer"],"metadata":"{}","hint":"pst_abcd","limits":null,"createdAt":1767225600002,"updatedAt":1767225600001,"expiresAt":null,"revokedAt":null,"version":2}',
  ],
  ['HSET', 'used', 't1', '1767225600020', 't3', '1767225600009'],
];

/** Puts a database of version 1 under this prefix. */
export async function fillVersion1(port: number, prefix: string): Promise<void> {
  await send(port, prefix, KEPT);
}

/**
 * Puts one of many tokens there: m0000, m0001, …, each created at T0 plus its number, all of acme and of ada; the odd ones are
 * the organization's own.
 */
export async function fillVersion1With(port: number, prefix: string, count: number): Promise<void> {
  const commands: string[][] = [['SET', 'schema', '1']];
  for (let index = 0; index < count; index++) {
    const id = `m${String(index).padStart(4, '0')}`;
    const ownership = index % 2 === 0 ? 'personal' : 'organization';
    const digest = String(index).padStart(64, '0');
    const places = ['a', 'o"acme"', 'p["acme","ada"]'].map((name) => `${name}:${timeKey(T0 + index)}`);
    const record = `{"id":"${id}","organization":"acme","owner":"ada","ownership":"${ownership}","name":"x","description":"","types":"{}","typeNames":[],"metadata":"{}","hint":"x","limits":null,"createdAt":${T0 + index},"updatedAt":${T0},"expiresAt":null,"revokedAt":null,"version":1}`;
    commands.push(['HSET', 'tokens', id, `1\n${digest}\n${places.join('\t')}\n${record}`]);
    commands.push(['HSET', 'secrets', digest, `-\n${T0}\nnull\n${id}`]);
    commands.push(['ZADD', 'index', ...places.flatMap((place) => ['0', `${place}${id}`])]);
  }
  await send(port, prefix, commands);
}

async function send(port: number, prefix: string, commands: readonly (readonly string[])[]): Promise<void> {
  const client = new Redis(port);
  const pipeline = client.pipeline();
  for (const [command, key, ...args] of commands) pipeline.call(command as string, `{${prefix}}:${key}`, ...args);
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  await client.quit();
}
