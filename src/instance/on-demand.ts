import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import type { Authorizer } from '../deciding/authorizer.js';
import type { Audit } from '../managing/audit.js';
import type { Management } from '../managing/create-managing.js';
import type { Endpoints } from '../managing/endpoints.js';
import type { Tokens } from '../managing/tokens-api.js';
import type { UsageReport } from '../managing/usage.js';
import type { Acting } from './acting.js';
import type { Inspection } from './inspection.js';

/** Every method of management. The compiler complains if a new method is missing here. */
const TOKENS: Readonly<Record<keyof Tokens, true>> = {
  create: true,
  import: true,
  get: true,
  list: true,
  count: true,
  update: true,
  rotate: true,
  revoke: true,
  revokeSecret: true,
  resetLimits: true,
  secrets: true,
  limits: true,
  usage: true,
  delete: true,
  revokeOwned: true,
  pruneExpired: true,
};
const ENDPOINTS: Readonly<Record<keyof Endpoints, true>> = {
  create: true,
  get: true,
  list: true,
  update: true,
  delete: true,
  preview: true,
};
const AUDIT: Readonly<Record<keyof Audit, true>> = { list: true };
const USAGE: Readonly<Record<keyof UsageReport, true>> = { usage: true };
const INSPECTION: Readonly<Record<keyof Inspection, true>> = { explain: true, introspect: true };

/**
 * Management is loaded with its first call, so a process that only decides never loads it.
 *
 * @param acting `null`: the application itself
 */
export function managingOnDemand(ground: Ground, forgetting: Forgetting, acting: Acting | null): Management {
  let loaded: Promise<Management> | null = null;
  const make = async (): Promise<Management> => {
    const { createManaging } = await import('../managing/create-managing.js');
    const { authorityOf } = await import('./authority-of.js');
    return createManaging(ground, forgetting, (on) => authorityOf(acting, on));
  };
  const load = (): Promise<Management> => {
    loaded ??= make();
    return loaded;
  };
  return {
    tokens: onDemand(TOKENS, async () => (await load()).tokens),
    endpoints: onDemand(ENDPOINTS, async () => (await load()).endpoints),
    audit: onDemand(AUDIT, async () => (await load()).audit),
    usage: onDemand(USAGE, load as () => Promise<UsageReport>).usage,
  };
}

/** Inspection that is loaded with its first call. */
export function inspectionOnDemand(ground: Ground, authorizer: Authorizer, acting: Acting | null): Inspection {
  return onDemand(INSPECTION, async () => {
    const { createInspection } = await import('./inspection.js');
    const { authorityOf } = await import('./authority-of.js');
    return createInspection(ground, authorizer, authorityOf(acting, ground));
  });
}

function onDemand<Room extends object>(methods: Readonly<Record<keyof Room, true>>, load: () => Promise<Room>): Room {
  const calls = Object.keys(methods).map((method) => [
    method,
    async (...given: unknown[]) => {
      const room = (await load()) as Readonly<Record<string, (...given: unknown[]) => unknown>>;
      return room[method]?.(...given);
    },
  ]);
  return Object.fromEntries(calls) as Room;
}
