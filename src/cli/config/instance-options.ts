import type { PosternOptions } from '../../base/options.js';
import type { AnyTokenTypes } from '../../domain/token-types.js';
import { memoryRateLimiter } from '../../limits/memory.js';
import type { Host } from '../host.js';
import type { Config } from './load-config.js';

/** Options of the command line. They take precedence over the configuration. */
export interface GivenOptions {
  readonly organization?: string | undefined;
  readonly tokenPrefix?: string | undefined;
}

/** The options of the command's own instance: the configuration's, then those of the environment and of the command line. */
export function instanceOptions(
  host: Host,
  config: Config | null,
  { organization, tokenPrefix }: GivenOptions,
): Omit<PosternOptions<AnyTokenTypes>, 'store'> {
  const { store: _, ...options } = config?.options ?? {};
  const pepper = host.env.POSTERN_PEPPER;
  return {
    clock: host.clock,
    rateLimiter: memoryRateLimiter(),
    ...options,
    ...(pepper && { pepper }),
    ...(organization !== undefined && { organization }),
    ...(tokenPrefix !== undefined && { tokenPrefix }),
  };
}
