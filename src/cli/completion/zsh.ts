import type { Flag, Node } from './tree.js';

export function zshScript(nodes: readonly Node[]): string {
  const functions = nodes.map((node) => (node.commands.length > 0 ? groupFunction(node) : commandFunction(node)));
  return `#compdef postern
# zsh completion for postern
${functions.join('\n')}
if [ "$funcstack[1]" = "_postern" ]; then
  _postern "$@"
else
  compdef _postern postern
fi
`;
}

function groupFunction({ path, commands, known, options }: Node): string {
  const cases = known.map((name) => `        ${name}) ${functionName([...path, name])} ;;`);
  return `${functionName(path)}() {
  local curcontext="$curcontext" state line
  _arguments -C ${options.map(spec).join(' ')} '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands=(${commands.map(({ name, description }) => `'${name}:${description.replaceAll(':', ' ')}'`).join(' ')})
      _describe command commands
      ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}`;
}

function commandFunction({ path, options, choices }: Node): string {
  // Free arguments, such as ids, get no completions.
  const argument = choices.length > 0 ? ` '1: :(${choices.join(' ')})'` : ` '*: : '`;
  return `${functionName(path)}() {
  _arguments ${options.map(spec).join(' ')}${argument}
}`;
}

function spec({ name, short, description, takes, choices }: Flag): string {
  const value =
    takes === 'nothing'
      ? ''
      : choices.length > 0
        ? `:value:(${choices.join(' ')})`
        : takes === 'a file'
          ? ':file:_files'
          : ':value: ';
  const text = `[${description.replaceAll(':', ' ')}]${value}`;
  return short === null ? `'*${name}${text}'` : `'*'{${short},${name}}'${text}'`;
}

function functionName(path: readonly string[]): string {
  return ['_postern', ...path].join('_').replaceAll('-', '_');
}
