import { Command } from 'commander';
import type { LimitView, SecretView, TokenView } from '../../backend/backend.js';
import { unknownToken } from '../../backend/not-found.js';
import type { Host } from '../../host.js';
import { outputOption, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { fields } from '../../output/table.js';
import { bothTimes, grantsInWords, stateInWords, timeInWords } from '../../output/words.js';
import { type TargetOptions, withBackend } from '../../target.js';

export function get(host: Host): Command {
  return withTarget(new Command('get'))
    .description('Show one token, without its secret.')
    .argument('<id>', 'its id')
    .addOption(outputOption())
    .action((id: string, { output, ...target }: TargetOptions & { readonly output: Format }) =>
      withBackend(host, target, async (backend) => {
        const token = await backend.findToken(id);
        if (token === null) throw unknownToken(id);
        print(host, output, token, () => {
          const now = host.clock();
          return described(token, now, [
            ...(token.limits ?? []).map(limitInWords),
            ...oldSecretsInWords(token.secrets ?? [], now),
          ]);
        });
      }),
    );
}

type Field = readonly [name: string, value: string];

function limitInWords(limit: LimitView): Field {
  return [limit.policy === 'rate' ? 'Rate limit left' : 'Quota left', leftOf(limit)];
}

/** The ends of the secrets that a rotation replaced and that still work. */
function oldSecretsInWords(secrets: readonly SecretView[], now: number): readonly Field[] {
  const old = secrets.filter(({ ends_at }) => ends_at !== null);
  return old.map(({ ends_at }) => ['Old secret ends', bothTimes(ends_at, '', now)]);
}

export function leftOf({ remaining, points, resets_at }: LimitView): string {
  return `${remaining} of ${points}${resets_at === null ? '' : `, all of it at ${timeInWords(resets_at, '')}`}`;
}

export function described(token: TokenView, now: number, more: readonly Field[] = []): string {
  const time = (iso: string | null, none: string) => bothTimes(iso, none, now);
  return fields([
    ['ID', token.uid],
    ['Name', token.name],
    ['Description', token.description],
    ['Status', stateInWords(token, now).word],
    ['Grants', grantsInWords(token)],
    ['Organization', token.organization],
    ['Owner', token.owner],
    ['Ownership', token.ownership],
    ['Hint', token.hint],
    [
      'Labels',
      Object.entries(token.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    ['Rate limit', token.rate_limit && `${token.rate_limit.points} in ${token.rate_limit.duration}`],
    ['Quota', token.quota && `${token.quota.points} in ${token.quota.refill}`],
    ['Created', time(token.created_at, '-')],
    ['Updated', time(token.updated_at, '-')],
    ['Expires', time(token.expired_at, 'never')],
    ['Revoked', time(token.revoked_at, 'no')],
    ['Last used', time(token.last_used_at, 'never')],
    ...more,
  ]);
}
