import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import type { GatewayCall } from './call.js';

/** The endpoint that a call is for. An endpoint of `undefined` is unknown to everyone. */
export interface NamedEndpoint {
  readonly endpoint: string | undefined;
  readonly organization?: string;
}

/** The requirement of a call: its endpoint, found in the call. */
export type EndpointFrom = (call: GatewayCall) => NamedEndpoint;

/** The same, found by a host pattern. */
export interface EndpointFromHost extends EndpointFrom {
  /** Whether the pattern fits a host, in lower case and without a port. */
  fits(host: string): boolean;
}

const UNKNOWN: NamedEndpoint = Object.freeze({ endpoint: undefined });
const LABEL = '([a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)';

/**
 * Finds the endpoint in the host that the caller named. `{endpoint}` and `{organization}` stand for one whole label each. Hosts
 * are compared in lower case, so only endpoints and organizations with names in lower case are found. A host that does not fit
 * names an unknown endpoint.
 *
 * @example
 * createGateway(postern, { requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'), trustedProxies: ['127.0.0.1'] });
 * @throws PosternError `option_invalid`
 */
export function endpointFromHost(pattern: string): EndpointFromHost {
  const labels = typeof pattern === 'string' ? pattern.toLowerCase().split('.') : [];
  const names = labels.filter((label) => ['{endpoint}', '{organization}'].includes(label));
  const others = labels.filter((label) => !names.includes(label));
  const fits = names.includes('{endpoint}') && new Set(names).size === names.length;
  if (!fits || !others.every((label) => /^[a-z0-9_-]{1,63}$/.test(label))) {
    throw new PosternError(
      'option_invalid',
      `${quote(pattern)} is no host pattern: give one such as '{endpoint}.{organization}.cloud.example.com', with {endpoint} once and {organization} at most once, each as a whole label`,
      { input: 'endpointFromHost' },
    );
  }
  const expression = new RegExp(`^${labels.map((label) => (names.includes(label) ? LABEL : label)).join('\\.')}$`);
  const endpointAt = names.indexOf('{endpoint}') + 1;
  const organizationAt = names.indexOf('{organization}') + 1;

  const find: EndpointFrom = ({ host }) => {
    const found = expression.exec(host);
    if (found === null) return UNKNOWN;
    const endpoint = found[endpointAt];
    return organizationAt === 0 ? { endpoint } : { endpoint, organization: found[organizationAt] as string };
  };
  return Object.assign(find, { fits: (host: string) => expression.test(host) });
}

/**
 * Finds the endpoint in a header that the proxy sets: `summarizer`, or `mybentocloud/summarizer`. The proxy must set it on every
 * question, or a caller could write it. Several values name an unknown endpoint.
 *
 * @throws PosternError `option_invalid`
 */
export function endpointFromHeader(name: string): EndpointFrom {
  if (typeof name !== 'string' || !/^[A-Za-z0-9-]{1,100}$/.test(name)) {
    throw new PosternError('option_invalid', 'give the name of a header: letters, digits and hyphens', {
      input: 'endpointFromHeader',
    });
  }
  return ({ headers }) => {
    const value = headers.get(name);
    if (value === null || value.includes(',')) return UNKNOWN;
    const slash = value.lastIndexOf('/');
    const endpoint = value.slice(slash + 1);
    return slash < 0 ? { endpoint } : { endpoint, organization: value.slice(0, slash) };
  };
}

/**
 * Finds the endpoint in the `context_extensions` of Envoy's route, under `endpoint` and `organization`. A caller can't write
 * them.
 */
export function endpointFromContext(): EndpointFrom {
  return ({ context }) => {
    const organization = context.get('organization');
    return { endpoint: context.get('endpoint'), ...(organization !== undefined && { organization }) };
  };
}
