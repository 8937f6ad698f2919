import type { Requirement } from 'postern';
import { envoyProxy, forwardAuthProxy } from '../gateway/proxies.js';
import { type Start, zone } from './http-servers.js';
import { requirementOf, type Target } from './targets.js';

type Needed = Requirement | undefined;

/** A gateway finds the requirement in the path. */
function requirementOfPath({ path }: { readonly path: string }): Needed | Promise<Needed> {
  const requirement = requirementOf(path.slice(1) as Target);
  return typeof requirement === 'function' ? requirement() : requirement;
}

/** Proxies that ask a gateway. They are apart from the other servers because those run in other runtimes too. */
export const GATEWAY_SERVERS: Readonly<Record<string, Start>> = {
  'a gateway over HTTP': (postern, reached) => forwardAuthProxy(postern, requirementOfPath, zone, reached),
  'a gateway for Envoy': (postern, reached) => envoyProxy(postern, requirementOfPath, zone, reached),
};
