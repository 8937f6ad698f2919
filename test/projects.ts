import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every test file, by its path from the root. */
export const TEST_FILES: readonly string[] = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts') && !path.includes('/node_modules/'))
  .sort();

/** The first pattern that fits a file names its project; `unit` has the rest. */
const PATTERNS = {
  // They count the timers of their process. In `unit` they would count those of other files, too.
  alone:
    /^test\/(deciding\/(leases(-many|-outage)?|usage)|managing\/trimming|stores\/feed-questions|transports\/grpc\/internals)\.test/,
  package: /^test\/(package\/|docs\/commands)/,
  slow: /^test\/(docs\/programs|examples\/demo|jwt\/contract|(base|jwt)\/without-node|management\/linear|stores\/node-sqlite|types\/)/,
  services:
    /^test\/(cli\/(?!bootstrap|contexts)|gateway\/(hop-languages|in-front|command)|deciding\/leases-shared|docs\/terminal|clients\/|examples\/|faults\/|limits\/|management\/console\/|jwt\/derive-in-a-browser|stores\/(batches|endings|sharing|mariadb|postgres|redis|sql))/,
} as const;

export type Project = keyof typeof PATTERNS | 'unit';

export function filesOf(project: Project): string[] {
  return TEST_FILES.filter((file) => projectOf(file) === project);
}

function projectOf(file: string): Project {
  const found = Object.entries(PATTERNS).find(([, pattern]) => pattern.test(file));
  return (found?.[0] as Project | undefined) ?? 'unit';
}
