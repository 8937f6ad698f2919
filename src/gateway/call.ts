import { type Heard, toHeaders } from './heard.js';

/** A call to a service behind a proxy, as the proxy tells it. */
export interface GatewayCall {
  /** The HTTP method; `POST` for every gRPC call. */
  readonly method: string;
  /** The host that the caller named, in lower case and without a port. */
  readonly host: string;
  /** The path as it was sent, without its query: `/v1/models`; for gRPC `/pkg.Service/Method`. Without dot segments. */
  readonly path: string;
  /** The path with its query. */
  readonly target: string;
  readonly scheme: 'http' | 'https';
  /** The caller's headers, and those that the proxy wrote. Several of one name are joined with a comma. */
  readonly headers: Headers;
  /** Written by Envoy's operator into the route (`context_extensions`); empty for other proxies. */
  readonly context: ReadonlyMap<string, string>;
  /** The caller's address, as far as trusted proxies name it. */
  readonly address: string | null;
}

/** The part of a call that is read before its caller's address is known. */
export interface Told extends Omit<GatewayCall, 'address' | 'headers'> {
  readonly headers: Heard;
}

/** Its headers are made when they are read: few requirements read them, and making them takes longer than the decision. */
export class Call implements GatewayCall {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly target: string;
  readonly scheme: 'http' | 'https';
  readonly context: ReadonlyMap<string, string>;
  readonly address: string | null;
  readonly #heard: Heard;
  #headers: Headers | null = null;

  constructor({ method, host, path, target, scheme, headers, context }: Told, address: string | null) {
    this.method = method;
    this.host = host;
    this.path = path;
    this.target = target;
    this.scheme = scheme;
    this.context = context;
    this.address = address;
    this.#heard = headers;
  }

  get headers(): Headers {
    this.#headers ??= toHeaders(this.#heard);
    return this.#headers;
  }
}
