import type { Backend } from './backend/backend.js';
import { httpBackend } from './backend/http-backend.js';
import { isInTheClear, readEndpoint } from './backend/http-client.js';
import { loadConfig } from './config/load-config.js';
import { type Context, findContext, loadContexts } from './contexts.js';
import { CliError, usageError } from './failure.js';
import type { Host } from './host.js';
import { warn } from './output/print.js';
import { assertToken } from './secrets.js';

/** The name of a context that comes from the environment alone. */
const ENVIRONMENT = '(environment)';

/** The options that choose a server or a store. */
export interface TargetOptions {
  readonly context?: string | undefined;
  readonly store?: string | undefined;
  readonly organization?: string | undefined;
  readonly namespace?: string | undefined;
  readonly tokenPrefix?: string | undefined;
  /** The file of the application's configuration, for a store. */
  readonly config?: string | undefined;
}

/**
 * The effective server and token: those of the environment take precedence over the context's. A saved token is sent only to the
 * server that it was saved for.
 *
 * @throws CliError if there is none
 */
export async function effectiveContext(host: Host, name: string | undefined): Promise<Context> {
  const { POSTERN_ENDPOINT, POSTERN_API_TOKEN } = host.env;
  // A named context takes precedence over the environment.
  const token = name === undefined && POSTERN_API_TOKEN ? assertToken(POSTERN_API_TOKEN, 'POSTERN_API_TOKEN') : null;
  const endpoint = name === undefined && POSTERN_ENDPOINT ? readEndpoint(POSTERN_ENDPOINT) : null;
  if (token !== null && endpoint !== null) return { name: ENVIRONMENT, endpoint, api_token: token, email: '' };
  const contexts = await loadContexts(host);
  if (endpoint !== null) {
    const current = contexts.contexts.find((each) => each.name === contexts.current && each.endpoint === endpoint);
    const saved = current ?? contexts.contexts.find((each) => each.endpoint === endpoint);
    if (saved) return saved;
    throw new CliError(
      `no token is saved for ${endpoint}, which POSTERN_ENDPOINT names. Set POSTERN_API_TOKEN too, or log in with postern login --endpoint ${endpoint}`,
    );
  }
  const chosen = name ?? contexts.current;
  if (chosen === null) {
    throw new CliError(
      contexts.contexts.length === 0
        ? 'you are not logged in. Use postern login --endpoint <url>, or work on a store with --store'
        : `no context is in use. Choose one of ${contexts.contexts.map((each) => each.name).join(', ')} with postern context use`,
    );
  }
  const context = findContext(contexts, chosen);
  return token === null ? context : { ...context, api_token: token, email: '' };
}

/**
 * Connects to the target of a command: the store if one is named, else a server.
 *
 * @throws CliError, PosternError
 */
export async function connect(host: Host, options: TargetOptions): Promise<Backend> {
  const { context, store, organization, namespace, tokenPrefix, config } = options;
  // --context takes precedence over a store of the environment.
  const url = store ?? (context === undefined ? host.env.POSTERN_STORE : undefined);
  if (url) {
    if (context !== undefined) throw usageError('--store and --context name two targets. Give one of them');
    const { storeBackend } = await import('./backend/store-backend.js');
    const loaded = await loadConfig(config);
    return storeBackend({ url, namespace, organization, tokenPrefix, config: loaded, make: false, host });
  }
  const stray =
    organization !== undefined
      ? '--organization'
      : namespace !== undefined
        ? '--namespace'
        : tokenPrefix !== undefined
          ? '--token-prefix'
          : config !== undefined
            ? '--config'
            : null;
  if (stray !== null) throw usageError(`${stray} is for --store only. On a server, the token determines it`);
  const { endpoint, api_token } = await effectiveContext(host, context);
  warnInTheClear(host, endpoint);
  return httpBackend(endpoint, api_token);
}

export function warnInTheClear(host: Host, endpoint: string): void {
  if (isInTheClear(endpoint)) warn(host, `${endpoint} is not https: anyone on the way can read your token.`);
}

/** Runs `work` on a command's target, and closes the target afterwards in any case. */
export async function withBackend<T>(
  host: Host,
  options: TargetOptions,
  work: (backend: Backend) => Promise<T>,
): Promise<T> {
  const backend = await connect(host, options);
  try {
    return await work(backend);
  } finally {
    await backend.close();
  }
}
