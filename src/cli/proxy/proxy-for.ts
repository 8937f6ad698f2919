import { BlockList, isIP } from 'node:net';
import { escapeInvisible } from '../../domain/text.js';
import { usageError } from '../failure.js';
import type { Host } from '../host.js';

type Env = Host['env'];

/**
 * The proxy for calls of an address, by the variables that curl and Go read; `null`: none. Each counts in lower and in upper case,
 * and lower case wins. Calls of this machine itself need no proxy.
 *
 * @throws CliError (usage) for a proxy that is no http or https address
 */
export function proxyFor({ protocol, hostname, port }: URL, env: Env): URL | null {
  const isSecure = protocol === 'https:';
  const name = isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  // A web server hands a visitor's header `Proxy` to its CGI programs as HTTP_PROXY (CVE-2016-5385).
  const upper = name === 'HTTP_PROXY' && env.REQUEST_METHOD !== undefined ? undefined : env[name];
  const named = env[name.toLowerCase()] || upper;
  if (!named) return null;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isLoopback(host) || isExcepted(host, port || (isSecure ? '443' : '80'), env.no_proxy || env.NO_PROXY || ''))
    return null;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(named) ? named : `http://${named}`;
  const proxy = URL.canParse(address) ? new URL(address) : null;
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy;
  const shown = proxy === null ? 'no address' : escapeInvisible(proxy.protocol);
  throw usageError(`${name} names no http or https proxy (${shown}). Give one such as http://proxy.example.com:3128`);
}

function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|::1)$/.test(host);
}

/** Entries are `*`, a domain with all below it, an address, or a network; a port may follow the first three. */
function isExcepted(host: string, port: string, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '' || entry === '*') return entry === '*';
      const [, bracketed, plain, own] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [null, entry];
      if (own !== undefined && own !== port) return false;
      const name = (bracketed ?? plain ?? '').replace(/^\*?\./, '');
      return isIP(host) > 0 ? isWithin(host, name) : host === name || host.endsWith(`.${name}`);
    });
}

function isWithin(address: string, network: string): boolean {
  const [first = '', bits] = network.split('/');
  const version = isIP(address);
  if (isIP(first) !== version) return false;
  const list = new BlockList();
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const most = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? most : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most) return false;
  list.addSubnet(first, prefix, family);
  return list.check(address, family);
}
