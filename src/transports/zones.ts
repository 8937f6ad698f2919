import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { check, unpolluted } from '../base/check.js';
import type { Zone } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import { nodeHeader } from './node-request.js';

/** A request of Express, Fastify or `node:http`. */
export interface SocketRequest {
  readonly socket: { readonly remoteAddress?: string | undefined } | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A call of grpc-js. */
export interface PeerCall {
  getPeer(): string;
  readonly metadata: { get(key: string): readonly (string | Uint8Array)[] };
}

/** Which proxies are believed when they say who calls. */
export interface TrustedProxies {
  /** Addresses and networks of the proxies whose `X-Forwarded-For` counts. Default: none, so that the header never counts. */
  readonly trustedProxies?: readonly string[] | undefined;
}

/** Options of `internalNetworks`. */
export type InternalNetworksOptions = TrustedProxies;

const schema = z.strictObject({ trustedProxies: z.array(z.string()).default([]) });
/** A longer chain than any real one: it is not walked to its end. */
const MAX_FORWARDED_LENGTH = 4096;

/**
 * The `zone` option of the guards that see a socket: internal is who calls from one of these networks. Networks are CIDR
 * blocks or single addresses, IPv4 or IPv6; an IPv4-mapped IPv6 address is the IPv4 address. An empty list makes nobody
 * internal.
 *
 * It starts at the socket's address and goes back through `X-Forwarded-For` only while the address at hand is a trusted
 * proxy's, because only then was the entry before it written by one that is trusted. A trusted proxy that names no caller
 * leaves the caller unknown, and what is unknown is external. So name the proxies, not the networks that they stand in: a caller
 * at a proxy's address is never internal behind another one.
 *
 * @example
 * guard(postern, { endpoint: 'metrics' }, { zone: internalNetworks(['10.0.0.0/8', 'fd00::/8'], { trustedProxies: ['10.0.0.1'] }) });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function internalNetworks(
  networks: readonly string[],
  options: InternalNetworksOptions = {},
): (request: SocketRequest | PeerCall) => Zone {
  const { trustedProxies } = check(schema, options, 'internalNetworks', 'option_invalid');
  const isInternal = addressList(networks, 'networks', 'internalNetworks');
  const isProxy = addressList(trustedProxies, 'trustedProxies', 'internalNetworks');

  return (request) => {
    const peer = isCall(request) ? ofPeer(request) : ofSocket(request);
    const address = callerAddress(peer.address, peer.forwardedFor, isProxy);
    return address !== null && isInternal(address) ? 'internal' : 'external';
  };
}

/**
 * The address of who calls, told by the same rules: the socket's, or what trusted proxies wrote into `X-Forwarded-For`; `null`
 * where that is not known. For the `from` of an audit log, and the `clientAddress` of `managementApi`.
 *
 * @example
 * const addressOf = clientAddress({ trustedProxies: ['10.0.0.1'] });
 * managementApi(postern, { clientAddress: (_request, source) => addressOf(source as IncomingMessage) });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function clientAddress(options: TrustedProxies = {}): (request: SocketRequest) => string | null {
  const { trustedProxies } = check(schema, options, 'clientAddress', 'option_invalid');
  const isProxy = addressList(trustedProxies, 'trustedProxies', 'clientAddress');
  return (request) => {
    const { address, forwardedFor } = ofSocket(request);
    return callerAddress(address, forwardedFor, isProxy);
  };
}

const MAPPED = /* @__PURE__ */ (() => {
  const list = new BlockList();
  list.addSubnet('::ffff:0:0', 96, 'ipv6');
  return list;
})();

interface Peer {
  readonly address: string | undefined;
  readonly forwardedFor: () => string;
}

function isCall(request: SocketRequest | PeerCall): request is PeerCall {
  return typeof unpolluted(request as PeerCall, 'getPeer') === 'function';
}

function ofSocket(request: SocketRequest): Peer {
  const socket = unpolluted(request, 'socket');
  return {
    address: socket ? unpolluted(socket, 'remoteAddress') : undefined,
    forwardedFor: () => nodeHeader(request, 'x-forwarded-for') ?? '',
  };
}

/** `getPeer()` is `address:port`, or a socket's path. An IPv6 address may stand in brackets or bare. */
function ofPeer(call: PeerCall): Peer {
  const peer = call.getPeer();
  const address = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))).replace(/^\[(.*)\]$/, '$1');
  return { address, forwardedFor: () => call.metadata.get('x-forwarded-for').map(String).join(',') };
}

/** Who calls, or `null` where that is not known. */
function callerAddress(
  socketAddress: string | undefined,
  forwardedFor: () => string,
  isProxy: (address: string) => boolean,
): string | null {
  let address = plainAddress(socketAddress ?? '');
  if (address === null || !isProxy(address)) return address;
  const header = forwardedFor();
  if (header.length > MAX_FORWARDED_LENGTH) return null;
  const chain = header.split(',');
  while (address !== null && isProxy(address)) {
    const before = chain.pop()?.trim();
    if (before === undefined) break;
    address = plainAddress(before);
  }
  // The chain ended at a proxy that names nobody, or an entry was no address.
  return address !== null && !isProxy(address) ? address : null;
}

/** An address in one spelling, without its zone index; `null` for what is none. */
function plainAddress(text: string): string | null {
  const percent = text.indexOf('%');
  const address = percent < 0 ? text : text.slice(0, percent);
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? address : (mappedAddress(address) ?? address);
}

/** @throws PosternError `option_invalid` */
function addressList(entries: readonly string[], path: string, input: string): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of Array.isArray(entries) ? entries : [null]) {
    if (addEntry(list, entry)) continue;
    throw new PosternError(
      'option_invalid',
      `${quote(entry)} is no network: give addresses or CIDR blocks, such as '10.0.0.0/8' or 'fd00::/8'`,
      { path, input },
    );
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** `false` for what is no address and no block. */
function addEntry(list: BlockList, entry: unknown): boolean {
  const match = typeof entry === 'string' ? /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(entry) : null;
  const version = match?.[1] === undefined ? 0 : isIP(match[1]);
  if (match?.[1] === undefined || version === 0) return false;
  const bits = match[2] === undefined ? (version === 4 ? 32 : 128) : Number(match[2]);
  if (bits > (version === 4 ? 32 : 128)) return false;
  const mapped = version === 6 && bits >= 96 ? mappedAddress(match[1]) : null;
  if (mapped !== null) list.addSubnet(mapped, bits - 96, 'ipv4');
  else list.addSubnet(match[1], bits, version === 4 ? 'ipv4' : 'ipv6');
  return true;
}

/** The IPv4 address that an IPv6 one maps (`::ffff:0:0/96`, RFC 4291 section 2.5.5.2), or `null`. */
function mappedAddress(address: string): string | null {
  if (!MAPPED.check(address, 'ipv6')) return null;
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const [high = 0, low = 0] = address
    .split(':')
    .slice(-2)
    .map((group) => Number.parseInt(group || '0', 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
