import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import { type Audit, createAudit } from './audit.js';
import type { Authority } from './authority.js';
import { createEndpoints, type Endpoints } from './endpoints.js';
import { createTokens } from './tokens.js';
import type { Tokens } from './tokens-api.js';
import { createUsageReport, type UsageReport } from './usage.js';

/** Management with the rights of one caller. */
export interface Management<T extends TokenTypes = AnyTokenTypes> extends UsageReport {
  readonly tokens: Tokens<T>;
  readonly endpoints: Endpoints;
  readonly audit: Audit;
}

export function createManaging(ground: Ground, forgetting: Forgetting, authority: Authority): Management {
  return {
    tokens: createTokens(ground, forgetting, authority),
    endpoints: createEndpoints(ground, forgetting, authority),
    audit: createAudit(ground, authority),
    ...createUsageReport(ground, authority),
  };
}
