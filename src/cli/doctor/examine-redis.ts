import { clientFor } from '../../stores/redis/driver.js';
import type { Host } from '../host.js';
import { clockFinding, type Finding, ok, problem, warning } from './finding.js';

/** How long the server may take to answer, in milliseconds. */
const TIMEOUT = 5_000;

/**
 * Looks at a Redis server. It changes nothing.
 *
 * @throws the client's errors, and `PosternError` `driver_missing`
 */
export async function examineRedis(host: Host, url: string): Promise<readonly Finding[]> {
  const client = clientFor(url, TIMEOUT);
  try {
    const asked = host.clock();
    const [seconds, microseconds] = (await client.send('', ['TIME'])) as readonly string[];
    const answered = host.clock();
    const now = Number(seconds) * 1000 + Number(microseconds) / 1000;
    const clock = clockFinding('Redis', now, (asked + answered) / 2, answered - asked);
    const info = await client.send('', ['INFO']).catch((error: Error) => error);
    if (info instanceof Error) {
      return [
        clock,
        warning('memory', 'This user may not read INFO, so eviction and persistence are not checked', 'Allow +info.'),
      ];
    }
    return [clock, ...findingsOf(fieldsOf(String(info)))];
  } finally {
    client.disconnect();
  }
}

function findingsOf(info: ReadonlyMap<string, string>): readonly Finding[] {
  const findings: Finding[] = [];
  const policy = info.get('maxmemory_policy') ?? '';
  const limit = info.get('maxmemory') === '0' ? '' : ', and its memory is limited';
  if (policy.startsWith('allkeys')) {
    findings.push(
      problem(
        'memory',
        `Redis drops keys when its memory is full (maxmemory-policy ${policy}${limit}), tokens and revocations too`,
        'CONFIG SET maxmemory-policy noeviction',
      ),
    );
  } else if (policy !== '' && policy !== 'noeviction') {
    findings.push(
      warning(
        'memory',
        `Redis drops keys that have an end when its memory is full (maxmemory-policy ${policy}${limit}), such as logins`,
        'CONFIG SET maxmemory-policy noeviction',
      ),
    );
  } else findings.push(ok('memory', 'Redis keeps its keys when its memory is full'));
  if (info.get('role') === 'slave') {
    findings.push(problem('writes', 'This Redis server is a replica, which takes no changes', 'Name the master.'));
  }
  if (info.get('aof_enabled') === '0') {
    findings.push(
      warning(
        'persistence',
        'Redis writes no append-only file: a crash loses the changes since the last snapshot, revocations too',
        'Set appendonly yes.',
      ),
    );
  } else findings.push(ok('persistence', 'Redis writes its changes to disk'));
  return findings;
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
}
