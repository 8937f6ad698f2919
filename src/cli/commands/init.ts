import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { usageError } from '../failure.js';
import type { Host } from '../host.js';
import { FRAMEWORKS, type Framework } from '../init/frameworks.js';
import { planProject, writeProject } from '../init/make-project.js';
import { note, say } from '../output/print.js';
import { ask, isInteractive } from '../prompts.js';

interface InitOptions {
  readonly framework?: Framework;
  readonly dryRun?: boolean;
}

const NAMES = Object.keys(FRAMEWORKS) as Framework[];

export function init(host: Host): Command {
  return new Command('init')
    .description(
      'Write a guarded example into this folder: TypeScript, with a SQLite file. It never overwrites a file.',
    )
    .addOption(new Option('--framework <name>', 'the web framework; asked on a terminal').choices(NAMES))
    .option('--dry-run', 'write nothing: print the files that would be written')
    .action(async ({ framework, dryRun = false }: InitOptions) => {
      const chosen = framework ?? (await askFramework(host));
      const folder = resolve('.');
      const project = await planProject(folder, chosen);
      if (dryRun) {
        for (const { path, text } of project.files) say(host, `--- ${path}\n${text}`);
        note(host, 'Nothing was written.');
        return;
      }
      await writeProject(folder, project);
      for (const { path, adds } of project.files) note(host, `${adds ? 'Added to' : 'Wrote'} ${path}`);
      say(host, nextSteps(project.start));
    });
}

async function askFramework(host: Host): Promise<Framework> {
  if (!isInteractive(host)) throw usageError(`there is nobody to ask. Give --framework ${NAMES.join(', ')}`);
  return ask(host, `Framework (${NAMES.join(', ')})`, (answer) => {
    const found = NAMES.find((name) => name === answer.toLowerCase());
    if (found !== undefined) return found;
    throw usageError(`there is no example for it. Type one of ${NAMES.join(', ')}`);
  });
}

function nextSteps(start: string): string {
  return `
Next:
  npm install
  ${start}
In another terminal:
  TOKEN=$(npx postern api-token create --store config --name first --owner me --scope notes:read --expires-in 30d)
  curl -i http://127.0.0.1:3000/notes
  curl -i http://127.0.0.1:3000/notes -H "Authorization: Bearer $TOKEN"
The first call answers 401, the second 200. If something is wrong: npx postern doctor --store config`;
}
