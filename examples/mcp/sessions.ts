import { randomUUID } from 'node:crypto';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { Request, Response } from 'express';
import { makeTools } from './tools.js';

interface Session {
  readonly transport: StreamableHTTPServerTransport;
  /** The API token behind the credential that opened it: derived and exchanged tokens have the id of theirs. */
  readonly tokenId: string | undefined;
}

/** The open sessions, each of the caller that opened it. */
export class Sessions {
  readonly #open = new Map<string, Session>();

  /** Hands a guarded request to its session, with the body as the guard saw it. */
  async handle(request: Request, response: Response): Promise<void> {
    const id = request.get('mcp-session-id');
    const tokenId = request.principal?.tokenId;
    const known = id === undefined ? undefined : this.#open.get(id);
    // The id of a session is no credential: someone else's is unknown.
    const own = known?.tokenId === tokenId ? known : undefined;
    if (own === undefined && (id !== undefined || !isInitializeRequest(request.body))) {
      const error = { code: -32001, message: 'Session not found' };
      response.status(404).json({ jsonrpc: '2.0', error, id: null });
      return;
    }
    const transport = own?.transport ?? (await this.#begin(tokenId));
    await transport.handleRequest(withCaller(request), response, request.body);
  }

  async #begin(tokenId: string | undefined): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void this.#open.set(id, { transport, tokenId }),
      onsessionclosed: (id) => void this.#open.delete(id),
    });
    await makeTools().connect(transport as Transport);
    return transport;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ transport }) => transport.close()));
    this.#open.clear();
  }
}

/** Tools see who calls, and never the token. */
function withCaller(request: Request) {
  const { principal } = request;
  const scopes = [...(principal?.grants.scopes ?? [])];
  return Object.assign(request, {
    auth: { token: '', clientId: principal?.tokenId ?? '', scopes, extra: { principal } },
  });
}
