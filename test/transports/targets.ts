import type { Requirement } from 'postern';

/** The targets of calls. Every transport offers the same. */
export const TARGETS = {
  summarizer: { endpoint: 'summarizer' },
  status: { endpoint: 'status' },
  metrics: { endpoint: 'metrics' },
  nowhere: { endpoint: 'nowhere' },
  'not-an-id': { endpoint: '../summarizer' },
  'other-summarizer': { endpoint: 'summarizer', organization: 'other' },
  'write-models': { scope: 'models:write' },
  'read-models': { scope: 'models:read' },
  'models-of-mine': { scope: 'models:read', organization: 'mybentocloud' },
  'two-scopes': { scope: ['models:read', 'iam:read'] },
  anyone: { authenticated: true },
  open: { public: true },
} as const;

export type Target = keyof typeof TARGETS | 'undeclared' | 'throws' | 'rejects' | 'unknown-scope';

/** The requirement of each target as a value or a function. `undefined` declares none. */
export function requirementOf(target: Target): Requirement | (() => never) | (() => Promise<never>) | undefined {
  switch (target) {
    case 'undeclared':
      return undefined;
    case 'throws':
      return () => {
        throw new Error('secret detail');
      };
    case 'rejects':
      return () => Promise.reject(new Error('secret detail'));
    case 'unknown-scope':
      return (() => ({ scope: 'models:paint' })) as unknown as () => never;
    default:
      return TARGETS[target];
  }
}

export const ALL_TARGETS: readonly Target[] = [
  ...(Object.keys(TARGETS) as (keyof typeof TARGETS)[]),
  'undeclared',
  'throws',
  'rejects',
  'unknown-scope',
];

/** Servers without a guard call `authorize` themselves, with requirements that are values. */
const BY_HAND: readonly string[] = ['http', 'http with fetch'];
const COMPUTED: readonly Target[] = ['throws', 'rejects', 'unknown-scope'];

export function isOffered(server: string, target: Target): boolean {
  return !(BY_HAND.includes(server) && COMPUTED.includes(target));
}
