import type { Node } from './tree.js';

/** Works in bash 3.2 (macOS) too: no associative arrays. */
export function bashScript(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options, choices }) => {
    const words = [...commands.map(({ name }) => name), ...choices];
    return `    '${path.join(' ')}')
      words='${words.join(' ')}'
      flags='${options.map(({ name }) => name).join(' ')}'
      ;;`;
  });
  return `# bash completion for postern
_postern() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local path= word words= flags= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
${nodes
  .slice(1)
  .map(({ path }) => `      '${path.join(' ')}') path='${path.join(' ')}' ;;`)
  .join('\n')}
    esac
  done
  COMPREPLY=()
  case "$previous" in
${valueCases(nodes)}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _postern postern
`;
}

/** The completions of an option's value. An option means the same in every command. */
function valueCases(nodes: readonly Node[]): string {
  const lines = new Map<string, string>();
  for (const { name, short, takes, choices } of nodes.flatMap(({ options }) => options)) {
    if (takes === 'nothing') continue;
    const reply =
      choices.length > 0
        ? `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return`
        : takes === 'a file'
          ? 'COMPREPLY=($(compgen -f -- "$current")); return'
          : 'return';
    lines.set(name, `    ${short === null ? '' : `${short}|`}${name}) ${reply} ;;`);
  }
  return [...lines.values()].join('\n');
}
