import { BlockList, isIP } from 'node:net';
import * as z from 'zod';
import { BoundedMap } from '../base/bounded-map.js';
import { check, unpolluted } from '../base/check.js';
import type { Zone } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import { isCut, nodeHeader } from './node-request.js';

/** A request of Express, Fastify or `node:http`. */
export interface SocketRequest {
  readonly socket: {
    readonly remoteAddress?: string | undefined;
    /** The server that accepted the connection, as Node sets it. */
    readonly server?: { address(): unknown } | null | undefined;
  } | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A call of grpc-js. */
export interface PeerCall {
  getPeer(): string;
  readonly metadata: { get(key: string): readonly (string | Uint8Array)[] };
}

/** The proxies whose word about the caller counts. */
export interface TrustedProxies {
  /**
   * Addresses and networks of the proxies whose `X-Forwarded-For` counts. `'unix:'` is a proxy that connects over a socket
   * file. Default: none, and the header never counts.
   */
  readonly trustedProxies?: readonly string[] | undefined;
}

/** Options of `internalNetworks`. */
export type InternalNetworksOptions = TrustedProxies;

const schema = z.strictObject({ trustedProxies: z.array(z.string()).default([]) });
/** Longer than any real chain, in characters. A longer header leaves the caller unknown. */
const MAX_FORWARDED_LENGTH = 4096;

/**
 * The `zone` option of the guards that see a socket: callers from these networks are internal. Networks are CIDR blocks or
 * single addresses, IPv4 or IPv6. An IPv4-mapped IPv6 address counts as the IPv4 address. An empty list makes nobody internal.
 *
 * It starts at the socket's address. While the address is a trusted proxy's, it takes the entry before it in
 * `X-Forwarded-For`, because a trusted proxy wrote that one. If a trusted proxy names no caller, the caller is unknown, and so
 * external. Name the proxies themselves, not their networks: a caller at a proxy's address is never internal behind another
 * proxy.
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
  const isProxy = proxyList(trustedProxies, 'internalNetworks');

  return (request) => {
    const peer = isCall(request) ? ofPeer(request) : ofSocket(request);
    const address = callerAddress(peer.address, peer.forwardedFor, isProxy);
    return address !== null && isInternal(address) ? 'internal' : 'external';
  };
}

/**
 * The caller's address by the same rules: the socket's, or the one that trusted proxies wrote into `X-Forwarded-For`; `null` if
 * it is unknown. For the `from` of an audit log, and for the `clientAddress` of `managementApi`.
 *
 * @example
 * const addressOf = clientAddress({ trustedProxies: ['10.0.0.1'] });
 * managementApi(postern, { clientAddress: (_request, source) => addressOf(source as IncomingMessage) });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function clientAddress(options: TrustedProxies = {}): (request: SocketRequest) => string | null {
  const { trustedProxies } = check(schema, options, 'clientAddress', 'option_invalid');
  const isProxy = proxyList(trustedProxies, 'clientAddress');
  return (request) => {
    const { address, forwardedFor } = ofSocket(request);
    return callerAddress(address, forwardedFor, isProxy);
  };
}

/** Stands for a peer on a socket file, which has no address. */
const UNIX = 'unix:';

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

export function ofSocket(request: SocketRequest): Peer {
  const socket = unpolluted(request, 'socket');
  return {
    address: socket ? (unpolluted(socket, 'remoteAddress') ?? socketFile(socket)) : undefined,
    forwardedFor: () => (isCut(request) ? '' : (nodeHeader(request, 'x-forwarded-for') ?? '')),
  };
}

/** Only the server tells a socket file from a connection that is closed: neither has an address. */
function socketFile(socket: NonNullable<SocketRequest['socket']>): string | undefined {
  const server = unpolluted(socket, 'server');
  return typeof server?.address === 'function' && typeof server.address() === 'string' ? UNIX : undefined;
}

/** `getPeer()` is `address:port`, or `unix:` and a path. An IPv6 address may stand in brackets or bare. */
export function ofPeer(call: PeerCall): Peer {
  const peer = call.getPeer();
  if (peer.startsWith(UNIX)) return { address: UNIX, forwardedFor: () => forwarded(call) };
  const address = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))).replace(/^\[(.*)\]$/, '$1');
  return { address, forwardedFor: () => forwarded(call) };
}

function forwarded(call: PeerCall): string {
  return call.metadata.get('x-forwarded-for').map(String).join(',');
}

/** The caller's address, or `null` if it is unknown. */
function callerAddress(
  socketAddress: string | undefined,
  forwardedFor: () => string,
  isProxy: (address: string) => boolean,
): string | null {
  let address = plainAddress(socketAddress ?? '');
  if (address === null || !isProxy(address)) return address === UNIX ? null : address;
  const header = forwardedFor();
  if (header.length > MAX_FORWARDED_LENGTH) return null;
  const chain = header.split(',');
  while (address !== null && isProxy(address)) {
    const before = chain.pop()?.trim();
    if (before === undefined) break;
    address = forwardedAddress(before);
  }
  // `null` also if the chain ended at a proxy.
  return address !== null && address !== UNIX && !isProxy(address) ? address : null;
}

/**
 * The caller behind these proxies, as a request that the zone's own rules go on from: its socket is the first address that is no
 * proxy's, its `X-Forwarded-For` the entries before that one. Without an address if no proxy names the caller.
 */
export function callerBehind(
  peer: string,
  forwardedFor: string,
  isProxy: (address: string) => boolean,
): SocketRequest & { readonly socket: object } {
  const chain = forwardedFor.length > MAX_FORWARDED_LENGTH ? [] : forwardedFor.split(',');
  let address = plainAddress(peer);
  while (address !== null && isProxy(address)) address = forwardedAddress(chain.pop()?.trim() ?? '');
  return {
    socket: { remoteAddress: address === null || address === UNIX ? undefined : address },
    headers: { 'x-forwarded-for': chain.join(',') },
  };
}

/** Whether an address as a socket has it, or `'unix:'`, is a proxy's. */
export function isProxyAt(peer: unknown, isProxy: (address: string) => boolean): peer is string {
  const address = typeof peer === 'string' ? plainAddress(peer) : null;
  return address !== null && isProxy(address);
}

/** Addresses whose answer a list remembers. */
const MAX_KNOWN = 1_000;

/** `1.2.3.4:567`, `[::1]` and `[::1]:567`: the spellings of Azure, of IIS and of some proxies. */
const WITH_PORT = /^(?:\[([^[\]]*)\]|([0-9.]+))(?::\d{1,5})?$/;

/** An entry of `X-Forwarded-For`: an address, with a port or without one. nginx writes `unix:` for a socket file. */
function forwardedAddress(entry: string): string | null {
  const match = WITH_PORT.exec(entry);
  return plainAddress(match?.[1] ?? match?.[2] ?? entry);
}

/** An address without its zone index, and a mapped one as IPv4; `null` if the text is no address. */
function plainAddress(text: string): string | null {
  if (text === UNIX) return UNIX;
  const percent = text.indexOf('%');
  const address = percent < 0 ? text : text.slice(0, percent);
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? address : (mappedAddress(address) ?? address);
}

/** @throws PosternError `option_invalid` */
export function proxyList(entries: readonly string[], input: string): (address: string) => boolean {
  const onSocketFile = entries.includes(UNIX);
  const isListed = addressList(
    entries.filter((entry) => entry !== UNIX),
    'trustedProxies',
    input,
  );
  return (address) => (address === UNIX ? onSocketFile : isListed(address));
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
  // `check` makes an object of Node's own for each question, which takes as long as ten decisions. The list never changes.
  const known = new BoundedMap<string, boolean>(MAX_KNOWN);
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const isListed = list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    known.set(address, isListed);
    return isListed;
  };
}

/** Returns `false` if the entry is neither an address nor a block. */
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

/** The IPv4 address inside a mapped IPv6 one (`::ffff:0:0/96`, RFC 4291 section 2.5.5.2), or `null`. */
function mappedAddress(address: string): string | null {
  if (!MAPPED.check(address, 'ipv6')) return null;
  const last = address.slice(address.lastIndexOf(':') + 1);
  if (last.includes('.')) return last;
  const [high = 0, low = 0] = address
    .split(':')
    .slice(-2)
    .map((group) => Number.parseInt(group || '0', 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
