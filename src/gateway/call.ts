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
