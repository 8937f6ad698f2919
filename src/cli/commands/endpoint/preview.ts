import { Command } from 'commander';
import type { Access } from '../../../domain/endpoint.js';
import type { AffectedView, PreviewView } from '../../backend/backend.js';
import type { Host } from '../../host.js';
import { accessOption, outputOption, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { table } from '../../output/table.js';
import { timeInWords } from '../../output/words.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface PreviewOptions extends TargetOptions {
  readonly access: Access;
  readonly output: Format;
}

export function preview(host: Host): Command {
  return withTarget(new Command('preview'))
    .description(
      'Show the effect of a change of access: the tokens that would gain the endpoint, and those that would lose it.',
    )
    .argument('<id>', 'its id')
    .addOption(accessOption().makeOptionMandatory())
    .addOption(outputOption())
    .action((id: string, { access, output, ...target }: PreviewOptions) =>
      withBackend(host, target, async (backend) => {
        const found = await backend.previewEndpoint(id, access);
        print(host, output, found, () => told(found));
      }),
    );
}

function told({ from, to, open_to_anyone, gain_count, lose_count, more, gain, lose }: PreviewView): string {
  return [
    `From ${from} to ${to}.${open_to_anyone ? ' Anyone could call it, with or without a token.' : ''}\n`,
    affected(gain, gain_count, 'would get through'),
    affected(lose, lose_count, 'would no longer get through'),
    more ? '\nOnly the newest 50,000 tokens were checked. There are more.\n' : '',
  ].join('');
}

function affected(tokens: readonly AffectedView[], count: number, what: string): string {
  if (count === 0) return `Tokens that ${what}: none\n`;
  const rows = tokens.map(({ uid, name, owner, last_used_at }) => [
    uid,
    name,
    owner,
    timeInWords(last_used_at, 'never'),
  ]);
  return `\nTokens that ${what}: ${count}${tokens.length < count ? `, of which ${tokens.length} are shown` : ''}\n${table(['ID', 'NAME', 'OWNER', 'LAST USED'], rows)}`;
}
