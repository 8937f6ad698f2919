import { Command } from 'commander';
import type { Inspection, LimitView } from '../backend/backend.js';
import { EXIT } from '../exit-codes.js';
import type { Host } from '../host.js';
import { outputOption, tokenFileOption, withTarget } from '../options.js';
import type { Outcome } from '../outcome.js';
import { type Format, print } from '../output/print.js';
import { paint } from '../output/style.js';
import { fields } from '../output/table.js';
import { bothTimes, deleted, listed } from '../output/words.js';
import { environmentToken, readToken } from '../secrets.js';
import { type TargetOptions, withBackend } from '../target.js';
import { leftOf } from './api-token/get.js';
import { withoutTokenArgument } from './token-argument.js';

interface VerifyOptions extends TargetOptions {
  readonly tokenFile?: string;
  readonly output: Format;
}

export function verify(host: Host, outcome: Outcome): Command {
  return withTarget(withoutTokenArgument(new Command('verify')))
    .description(
      'Check a token and show its rights. It comes from --token-file, a pipe, POSTERN_API_TOKEN or a prompt. On a server, the token that you are logged in with must hold iam:read.',
    )
    .addOption(tokenFileOption())
    .addOption(outputOption())
    .action(async ({ tokenFile, output, ...target }: VerifyOptions) => {
      const token = await readToken(host, {
        file: tokenFile,
        known: environmentToken(host),
        pipeFirst: true,
        prompt: 'Token to verify',
      });
      const found = await withBackend(host, target, (backend) => backend.inspect(token));
      print(host, output, found, () => (found.active ? good(host, found) : bad(host, found)));
      if (!found.active) outcome.exitCode = EXIT.failed;
    });
}

function bad(host: Host, found: Inspection): string {
  return `${paint(host, 'red', `The token is not valid${because(found)}.`, 'stdout')}\n`;
}

function good(host: Host, found: Inspection): string {
  const { uid, owner, organization, scopes, endpoints, dead_endpoints, expired_at, limits } = found;
  return `${paint(host, 'green', 'The token is valid.', 'stdout')}\n${fields([
    ['ID', uid],
    ['Owner', owner],
    ['Organization', organization],
    ['Scopes', listed(scopes)],
    ['Endpoints', endpoints === '*' ? 'all' : listed([...endpoints, ...dead_endpoints.map(deleted)])],
    ['Expires', bothTimes(expired_at, 'never', host.clock())],
    ...(limits.length === 0 ? [] : [['Limits', limits.map(limitInWords).join('; ')] as const]),
  ])}`;
}

const limitInWords = (limit: LimitView) => `${limit.policy === 'rate' ? 'rate limit' : 'quota'} ${leftOf(limit)}`;

const REASONS: Readonly<Record<string, string>> = {
  token_missing: 'there is none',
  token_malformed: 'it is no token',
  token_unknown: 'it is unknown here, or was mistyped',
  token_expired: 'it has expired',
  token_revoked: 'it was revoked, or replaced by a rotation',
  rate_limited: 'its limit is used up',
};

/** A server gives no reason (RFC 7662 section 2.2). */
function because({ reason, limits }: Inspection): string {
  if (limits.length > 0) return `: ${REASONS.rate_limited} (${limits.map(limitInWords).join('; ')})`;
  return reason === null ? ' (postern explain --authenticated says why)' : `: ${REASONS[reason] ?? reason}`;
}
