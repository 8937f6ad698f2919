/** The scope of each tool. A tool that is not here can not be called. */
const SCOPES = { search: 'tools:search', publish: 'tools:publish' } as const;

type Scope = (typeof SCOPES)[keyof typeof SCOPES];

/** What every client may send besides: nothing of it runs a tool or reads anything. */
const OPEN: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'tools/list',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
]);

/**
 * What a body needs: the scopes of all tools that it calls, also those of a batch. `null` for anything that is not known here: it is
 * refused.
 */
export function requirementOf(method: string, body: unknown): { authenticated: true } | { scope: Scope[] } | null {
  // Without a message: the stream of events, and the end of a session.
  if (method !== 'POST') return { authenticated: true };
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  const scopes: Scope[] = [];
  for (const message of messages) {
    const scope = scopeOf(message);
    if (scope === null) return null;
    if (scope !== undefined) scopes.push(scope);
  }
  return scopes.length === 0 ? { authenticated: true } : { scope: [...new Set(scopes)] };
}

/** `undefined`: it needs none. `null`: it is refused. */
function scopeOf(message: unknown): Scope | undefined | null {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return null;
  const { method, params } = message as { method?: unknown; params?: { name?: unknown } };
  // An answer to a question of the server.
  if (method === undefined) return undefined;
  if (method !== 'tools/call') return OPEN.has(method as string) ? undefined : null;
  const name = params?.name;
  return typeof name === 'string' && Object.hasOwn(SCOPES, name) ? SCOPES[name as keyof typeof SCOPES] : null;
}
