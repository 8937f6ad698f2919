import type { Command, Option } from 'commander';

/** A command, for the completion scripts. */
export interface Node {
  /** The words that lead to it, without `postern`. */
  readonly path: readonly string[];
  /** The words to offer next. */
  readonly commands: readonly Word[];
  /** All words that may follow: with aliases and older words, which are not offered. */
  readonly known: readonly string[];
  readonly options: readonly Flag[];
  /** The choices of its first argument. Empty if it is free. */
  readonly choices: readonly string[];
}

export interface Word {
  readonly name: string;
  readonly description: string;
}

export interface Flag extends Word {
  /** `-o`; `null` if it has only a long form. */
  readonly short: string | null;
  readonly takes: 'nothing' | 'a value' | 'a file';
  readonly choices: readonly string[];
}

export function nodesOf(command: Command, path: readonly string[] = []): readonly Node[] {
  const help = command.createHelp();
  const node: Node = {
    path,
    commands: help
      .visibleCommands(command)
      .filter((each) => command.commands.includes(each))
      .map((each) => ({ name: each.name(), description: summary(each.description()) })),
    known: command.commands.flatMap(namesOf),
    options: [...command.options.map(flagOf), HELP],
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
  return [node, ...command.commands.flatMap((each) => namesOf(each).flatMap((name) => nodesOf(each, [...path, name])))];
}

function namesOf(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

const HELP: Flag = { name: '--help', short: '-h', description: 'print help', takes: 'nothing', choices: [] };

function flagOf(option: Option): Flag {
  const { long, short, required, optional, description, argChoices } = option;
  const file = /<path>/.test(option.flags);
  return {
    name: long ?? (short as string),
    short: long && short ? short : null,
    description: summary(description),
    takes: !required && !optional ? 'nothing' : file ? 'a file' : 'a value',
    choices: argChoices ?? [],
  };
}

/** The first sentence, on one line and without characters that are special to shells. */
function summary(text: string): string {
  const [first = ''] = text.split(/[.:;?] |\.$/, 1);
  return first.replaceAll("'", '’').replace(/["`$\\[\]]/g, '');
}
