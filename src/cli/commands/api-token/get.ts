import { Command } from 'commander';
import type { TokenView } from '../../backend/backend.js';
import { unknownToken } from '../../backend/not-found.js';
import type { Host } from '../../host.js';
import { outputOption, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { fields } from '../../output/table.js';
import { grantsInWords, timeInWords } from '../../output/words.js';
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
        print(host, output, token, () => described(token));
      }),
    );
}

export function described(token: TokenView): string {
  return fields([
    ['ID', token.uid],
    ['Name', token.name],
    ['Description', token.description],
    ['Status', token.status],
    ['Grants', grantsInWords(token)],
    ['Organization', token.organization],
    ['Owner', token.owner],
    ['Ownership', token.ownership],
    ['Begins with', token.hint],
    [
      'Labels',
      Object.entries(token.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    ['Created', timeInWords(token.created_at, '-')],
    ['Updated', timeInWords(token.updated_at, '-')],
    ['Expires', timeInWords(token.expired_at, 'never')],
    ['Revoked', timeInWords(token.revoked_at, 'no')],
    ['Last used', timeInWords(token.last_used_at, 'never')],
  ]);
}
