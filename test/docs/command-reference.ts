import type { Command } from 'commander';
import { EXAMPLES, examplesOf } from '../../src/cli/examples.js';
import type { Host } from '../../src/cli/host.js';
import { isTargetOption } from '../../src/cli/options.js';
import { program } from '../../src/cli/program.js';

const WIDTH = 110;

/** The reference part of docs/command.md: each command that the program lists, with its examples and its help. */
export function commandReference(): string {
  const sink = { columns: WIDTH, write() {} };
  const root = program({ env: {}, stdout: sink, stderr: sink, clock: () => 0 } as unknown as Host, { exitCode: 0 });
  const leaves = leavesOf(root);
  const target = leaves.find(({ command }) => command.options.some(isTargetOption))?.command as Command;
  return [
    ...leaves.map(sectionOf),
    '### Target',
    'Commands with `[target]` in their usage also take these. Without one, they work on the current context.',
    fenced('text', optionLines(target, (option) => isTargetOption(option)).join('\n')),
    '### Exit codes and environment',
    fenced('text', textAfterOptions(root, '').trim()),
  ].join('\n\n');
}

interface Leaf {
  readonly command: Command;
  /** Its words without `postern`. */
  readonly path: string;
}

function leavesOf(command: Command, words: readonly string[] = []): readonly Leaf[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
  if (below.length === 0) return [{ command, path: words.join(' ') }];
  return below.flatMap((each) => leavesOf(each, [...words, each.name()]));
}

function sectionOf({ command, path }: Leaf): string {
  const examples = (EXAMPLES[path] ?? []).map(({ line, about }) => `# ${about}\n${line}`).join('\n');
  const target = command.options.some(isTargetOption) ? ' [target]' : '';
  const help = [
    `${command.createHelp().commandUsage(command)}${target}`,
    [...argumentLines(command), ...optionLines(command, (option) => !isTargetOption(option))].join('\n'),
    textAfterOptions(command, path).trim(),
  ];
  return [
    `### postern ${path}`,
    command.description(),
    `<!-- not run: test/cli/examples.test.ts gives each line to the parser -->\n${fenced('sh', examples)}`,
    fenced('text', help.filter((each) => each !== '').join('\n\n')),
  ].join('\n\n');
}

function argumentLines(command: Command): string[] {
  const help = command.createHelp();
  return lines(
    help.visibleArguments(command).map((each) => [help.argumentTerm(each), help.argumentDescription(each)]),
    command,
  );
}

function optionLines(command: Command, isWanted: (option: Command['options'][number]) => boolean): string[] {
  const help = command.createHelp();
  const wanted = help.visibleOptions(command).filter((option) => option.long !== '--help' && isWanted(option));
  return lines(
    wanted.map((each) => [help.optionTerm(each), help.optionDescription(each)]),
    command,
  );
}

function lines(items: readonly (readonly [string, string])[], command: Command): string[] {
  const help = command.createHelp();
  help.prepareContext({ helpWidth: WIDTH });
  const width = Math.max(0, ...items.map(([term]) => term.length));
  return items.map(([term, description]) => help.formatItem(term, width, description, help));
}

/** The rest of a command's help, without its examples. */
function textAfterOptions(command: Command, path: string): string {
  let whole = '';
  command
    .configureOutput({
      writeOut: (text) => {
        whole += text;
      },
    })
    .outputHelp();
  const help = command.createHelp();
  help.prepareContext({ helpWidth: WIDTH });
  return whole.slice(help.formatHelp(command, help).length).replace(examplesOf(path), '');
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
