import { Command } from 'commander';
import type { Access } from '../../../domain/endpoint.js';
import type { AffectedView, PreviewView } from '../../backend/backend.js';
import type { Host } from '../../host.js';
import { accessOption, outputOption, withTarget } from '../../options.js';
import { type Format, print } from '../../output/print.js';
import { paint } from '../../output/style.js';
import { table } from '../../output/table.js';
import { timesIn } from '../../output/words.js';
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
        print(host, output, found, () => told(host, output, found));
      }),
    );
}

function told(host: Host, output: Format, found: PreviewView): string {
  const { from, to, open_to_anyone, gain_count, lose_count, more, gain, lose } = found;
  const affected = (tokens: readonly AffectedView[], count: number, what: string) => {
    if (count === 0) return `Tokens that ${what}: none\n`;
    const shown = tokens.length < count ? `, of which ${tokens.length} are shown` : '';
    return `\nTokens that ${what}: ${count}${shown}\n${affectedTable(host, output, tokens)}`;
  };
  return [
    `From ${from} to ${to}.${open_to_anyone ? paint(host, 'yellow', ' Anyone could call it, with or without a token.', 'stdout') : ''}\n`,
    affected(gain, gain_count, 'would get through'),
    affected(lose, lose_count, 'would no longer get through'),
    more ? '\nOnly the newest 50,000 tokens were checked. There are more.\n' : '',
  ].join('');
}

function affectedTable(host: Host, output: Format, tokens: readonly AffectedView[]): string {
  const time = timesIn(output, host.clock());
  return table<AffectedView>(
    host,
    output,
    [
      { heading: 'ID', cell: ({ uid }) => uid },
      { heading: 'NAME', cell: ({ name }) => name, least: 12 },
      { heading: 'OWNER', cell: ({ owner }) => owner, least: 8, rank: 2 },
      { heading: 'LAST USED', cell: ({ last_used_at }) => time(last_used_at, 'never'), rank: 1 },
    ],
    tokens,
  );
}
