import { Command, Option } from 'commander';
import { redact } from '../domain/text.js';
import { VERSION } from '../domain/version.js';
import { apiToken } from './commands/api-token/index.js';
import { audit } from './commands/audit/index.js';
import { completion } from './commands/completion.js';
import { context } from './commands/context/index.js';
import { list as listContext } from './commands/context/list.js';
import { currentContext } from './commands/context/show.js';
import { use as useContext } from './commands/context/use.js';
import { derive } from './commands/derive.js';
import { doctor } from './commands/doctor.js';
import { endpoint } from './commands/endpoint/index.js';
import { explain } from './commands/explain.js';
import { gateway } from './commands/gateway.js';
import { init } from './commands/init.js';
import { login } from './commands/login.js';
import { logout } from './commands/logout.js';
import { migrate } from './commands/migrate.js';
import { open } from './commands/open.js';
import { schema } from './commands/schema.js';
import { serve } from './commands/serve.js';
import { usage } from './commands/usage.js';
import { verify } from './commands/verify.js';
import { whoami } from './commands/whoami.js';
import { examplesOf } from './examples.js';
import { EXIT_CODES_HELP } from './exit-codes.js';
import { PROGRAM } from './failure.js';
import type { Host } from './host.js';
import { isTargetOption } from './options.js';
import type { Outcome } from './outcome.js';
import { visible } from './output/print.js';
import { paint } from './output/style.js';

const ENVIRONMENT_HELP = `
Environment:
  POSTERN_ENDPOINT, POSTERN_API_TOKEN  the server and the token, in place of the saved context
  POSTERN_STORE                        the store to work on, like --store
  POSTERN_PEPPER                       with a store: the pepper of its application
  POSTERN_CONFIG                       the file of the contexts
  POSTERN_DEBUG=1                      shows the origin of an error
  NO_COLOR, FORCE_COLOR                no colors, or colors in a pipe too`;

/** The whole command line. */
export function program(host: Host, outcome: Outcome): Command {
  const root = new Command('postern')
    .description('Serve, manage and try API tokens, scopes and endpoint policies.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', EXIT_CODES_HELP)
    .addHelpText('after', ENVIRONMENT_HELP);
  const commands = [
    init(host),
    serve(host),
    gateway(host),
    login(host),
    logout(host),
    whoami(host),
    context(host),
    open(host),
    apiToken(host),
    endpoint(host),
    audit(host),
    usage(host),
    verify(host, outcome),
    explain(host, outcome),
    derive(host),
    migrate(host),
    schema(host),
    doctor(host, outcome),
    completion(host, root),
  ];
  for (const command of commands) root.addCommand(command);
  // Older words, and those of BentoCloud's own command.
  for (const command of [currentContext(host), listContext(host, 'list-context'), useContext(host, 'use-context')])
    root.addCommand(command, { hidden: true });
  settle(host, root);
  return root;
}

/** Settings that `addCommand` does not inherit: output streams, and never ending the process. */
function settle(host: Host, command: Command): void {
  command
    .exitOverride((error) => {
      throw error;
    })
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns ?? 100,
      getErrHelpWidth: () => host.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(usageSentence(host, text, command)),
    })
    .helpOption('-h, --help', 'print help')
    // A group's list shows only the first sentence.
    .summary(command.description().split(/(?<=[.?]) /, 1)[0] as string);
  // The command's own options come first in its help.
  (command.options as Option[]).sort((a, b) => Number(isTargetOption(a)) - Number(isTargetOption(b)));
  // Read before the command line is parsed, because its errors have colors too.
  const isGroup = command.commands.length > 0 && command.parent !== null;
  if (isGroup) command.helpCommand('help [command]', 'print help for a command');
  if (!isGroup) command.addOption(new Option('--no-color', 'no colors').hideHelp(command.parent !== null));
  const examples = examplesOf(pathTo(command).replace(/^postern /, ''));
  if (examples !== '') command.addHelpText('after', examples);
  for (const each of command.commands) settle(host, each);
}

/** Commander's message in our form. It hides the value of a mistyped option, which may be a token. */
function usageSentence(host: Host, text: string, command: Command): string {
  const [first = '', ...more] = visible(redact(text.trim())).split('\n');
  const said = first.replace(/^error: /, '').replace(/(unknown option '[^'=]*)=[^']*'/, "$1=…'");
  const sentences = [said, ...more.map((each) => each.replace(/^\(|\)$/g, ''))].map(finished).join(' ');
  return `${paint(host, 'red', PROGRAM)} ${sentences} See ${pathTo(command)} --help.\n`;
}

function finished(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function pathTo(command: Command): string {
  return command.parent === null ? command.name() : `${pathTo(command.parent)} ${command.name()}`;
}
