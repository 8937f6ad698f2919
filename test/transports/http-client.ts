import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Lower-case headers in order, without those that change with time or connection. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** Default `localhost`. */
  readonly host?: string;
  /** Sent unchanged. A name may repeat. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** The local address of the call, any of 127.0.0.0/8. */
  readonly from?: string;
  readonly body?: string;
}

/** HTTP/1.1 by hand, because a client library would tidy the request. */
export function send(port: number, request: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: request.from ?? '127.0.0.1' });
    const headers = [['Host', request.host ?? 'localhost'], ['Connection', 'close'], ...(request.headers ?? [])];
    if (request.body !== undefined) headers.push(['Content-Length', String(Buffer.byteLength(request.body))]);
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`${request.method ?? 'GET'} ${request.path} HTTP/1.1\r\n${lines}\r\n${request.body ?? ''}`, 'latin1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))));
  });
}

const CHANGING = new Set(['date', 'connection', 'keep-alive', 'x-powered-by', 'transfer-encoding']);

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (!CHANGING.has(name)) headers[name] = line.slice(colon + 1).trim();
  }
  const body = text.slice(end + 4);
  const isChunked = lines.some((line) => /^transfer-encoding: *chunked$/i.test(line));
  return { status: Number(statusLine.split(' ')[1]), headers, body: isChunked ? joined(body) : body };
}

/** The content of the chunks (RFC 9112 section 7.1). */
function joined(chunks: string): string {
  const line = chunks.indexOf('\r\n');
  const size = Number.parseInt(chunks.slice(0, line), 16);
  if (!(size > 0)) return '';
  const start = line + 2;
  return chunks.slice(start, start + size) + joined(chunks.slice(start + size + 2));
}
