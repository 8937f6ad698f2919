import type { Flag, Node } from './tree.js';

export function fishScript(nodes: readonly Node[]): string {
  return `# fish completion for postern
function __postern_at
    # Whether the words so far, without options and their values, are those given.
    set -l words (commandline -opc)[2..-1]
    set -l path
    set -l known ${nodes
      .slice(1)
      .map(({ path }) => `'${path.join(' ')}'`)
      .join(' ')}
    for word in $words
        set -l longer (string join -- ' ' $path $word)
        if contains -- $longer $known
            set path $path $word
        end
    end
    test "$path" = "$argv"
end
complete -c postern -f
${nodes.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, options, choices }: Node): readonly string[] {
  const start = `complete -c postern -n '__postern_at ${path.join(' ')}'`;
  return [
    ...commands.map(({ name, description }) => `${start} -a '${name}' -d '${description}'`),
    ...(choices.length > 0 ? [`${start} -a '${choices.join(' ')}'`] : []),
    ...options.map((flag) => `${start} ${flagWords(flag)} -d '${flag.description}'`),
  ];
}

function flagWords({ name, short, takes, choices }: Flag): string {
  const names = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${name.slice(2)}`;
  if (takes === 'nothing') return names;
  if (choices.length > 0) return `${names} -x -a '${choices.join(' ')}'`;
  return takes === 'a file' ? `${names} -r -F` : `${names} -x`;
}
