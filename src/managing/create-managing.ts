import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import { type Audit, createAudit } from './audit.js';
import type { Authority } from './authority.js';
import { createChangeLog } from './changes.js';
import { createEndpoints, type Endpoints } from './endpoints.js';
import { transactionInput } from './inputs.js';
import { createTokens } from './tokens.js';
import type { Tokens } from './tokens-api.js';
import { createUsageReport, type UsageReport } from './usage.js';
import { type Alone, type Rooms, withTransactions } from './within.js';

/** Management with the rights of one caller. */
export interface Management<T extends TokenTypes = AnyTokenTypes> extends UsageReport {
  readonly tokens: Tokens<T>;
  readonly endpoints: Endpoints;
  readonly audit: Audit;
}

/** @param authorityOn the caller's rights, read from the store of the given ground */
export function createManaging(
  ground: Ground,
  forgetting: Forgetting,
  authorityOn: (ground: Ground) => Authority,
): Management {
  const tokensOn: Rooms<Alone<Tokens>> = (on, forgets, emit) => {
    const authority = authorityOn(on);
    return createTokens(on, forgets, authority, createChangeLog(on, authority, emit));
  };
  const endpointsOn: Rooms<Alone<Endpoints>> = (on, forgets, emit) => {
    const authority = authorityOn(on);
    return createEndpoints(on, forgets, authority, createChangeLog(on, authority, emit));
  };
  const authority = authorityOn(ground);
  return {
    tokens: withTransactions(ground, forgetting, 'tokens', tokensOn, {
      create: [1, transactionInput],
      update: [2, transactionInput],
      rotate: [1],
      revoke: [1],
      delete: [1, transactionInput],
    }) as Tokens,
    endpoints: withTransactions(ground, forgetting, 'endpoints', endpointsOn, {
      create: [1],
      update: [2],
      delete: [1],
    }) as Endpoints,
    audit: createAudit(ground, authority),
    ...createUsageReport(ground, authority),
  };
}
