import { Argument, Command } from 'commander';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { type Node, nodesOf } from '../completion/tree.js';
import { zshScript } from '../completion/zsh.js';
import type { Host } from '../host.js';

const SHELLS: Readonly<Record<string, (nodes: readonly Node[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export function completion(host: Host, root: Command): Command {
  return new Command('completion')
    .description('Print a completion script for a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SHELLS)))
    .action((shell: string) => {
      host.stdout.write((SHELLS[shell] as (nodes: readonly Node[]) => string)(nodesOf(root)));
    });
}
