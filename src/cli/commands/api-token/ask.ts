import { parseDuration } from '../../../domain/duration.js';
import { quote } from '../../../domain/text.js';
import type { TokenType } from '../../../management/wire/types.js';
import type { Backend, GrantView } from '../../backend/backend.js';
import { CliError, cancelled, usageError } from '../../failure.js';
import type { Host } from '../../host.js';
import { collect, expiryOf } from '../../options.js';
import { note } from '../../output/print.js';
import { grantsInWords, timeInWords } from '../../output/words.js';
import { ask, askConfirmation } from '../../prompts.js';

/** The answers that make a token. */
export interface Answers {
  readonly name: string;
  readonly types: Readonly<Record<string, GrantView>>;
  readonly expiresAt: Date | null;
}

/** How many endpoints a question names. Others may be typed too. */
const MOST_NAMED = 100;

/**
 * Asks for a new token on a terminal.
 *
 * @throws the error of {@link cancelled} if the last answer is no
 */
export async function askForToken(host: Host, backend: Backend): Promise<Answers> {
  const known = await backend.tokenTypes();
  const name = await ask(host, 'Name', (answer) => {
    if (answer !== '') return answer;
    throw usageError('Give a name.');
  });
  const chosen = known.length === 1 ? known : await askTypes(host, known);
  const types: Record<string, GrantView> = {};
  for (const type of chosen) {
    types[type.name] =
      type.form === 'scope_access'
        ? { scopes: await askScopes(host, type) }
        : { endpoints: await askEndpoints(host, backend, type.name) };
  }
  const expiresAt = await ask(host, 'Expires in (such as 12h or 90d, a date, or never) [90d]', (answer) =>
    readExpiry(answer || '90d', host.clock()),
  );
  const ends = expiresAt === null ? 'never expires' : `expires ${timeInWords(expiresAt.toISOString(), '')}`;
  note(host, `\nThe token ${quote(name)} grants ${grantsInWords({ types, dead_grants: [] })}; it ${ends}.`);
  if (!(await askConfirmation(host, 'Make it?', true))) throw cancelled('No token was made.');
  return { name, types, expiresAt };
}

async function askTypes(host: Host, known: readonly TokenType[]): Promise<readonly TokenType[]> {
  const lines = known.map((type, index) => {
    const about = type.description ?? (type.form === 'scope_access' ? 'Holds scopes.' : 'Reaches endpoints.');
    return `  ${index + 1}  ${type.name}: ${about}`;
  });
  note(host, `Types:\n${lines.join('\n')}`);
  return ask(host, 'Which, such as 1 or 1,2', (answer) => {
    const chosen = collect(answer, []).map(
      (each) => known[Number(each) - 1] ?? known.find(({ name }) => name === each),
    );
    if (chosen.length > 0 && chosen.every((each) => each !== undefined)) return [...new Set(chosen)];
    throw usageError(`Give numbers from 1 to ${known.length}.`);
  });
}

async function askScopes(host: Host, type: TokenType & { readonly form: 'scope_access' }): Promise<readonly string[]> {
  const scopes = Object.entries(type.resources).flatMap(([resource, actions]) =>
    Object.keys(actions).map((action) => `${resource}:${action}`),
  );
  const grantable = new Set([...scopes, ...Object.keys(type.resources).map((resource) => `${resource}:*`), '*']);
  note(host, `Scopes: ${scopes.join(', ')}; * is all of them`);
  return ask(host, `Scopes of ${type.name}`, (answer) => chosenFrom(answer, grantable, 'scope'));
}

async function askEndpoints(host: Host, backend: Backend, type: string): Promise<'*' | readonly string[]> {
  const known = await endpointsOf(backend);
  if (known !== null) note(host, `Endpoints: ${[...known].join(', ') || 'none yet'}; * is all of them, later ones too`);
  return ask(host, `Endpoints of ${type}`, (answer) => (answer === '*' ? '*' : chosenFrom(answer, known, 'endpoint')));
}

function readExpiry(text: string, now: number): Date | null {
  const isLength = text === 'never' || parseDuration(text) !== null;
  try {
    return expiryOf(isLength ? { expiresIn: text } : { expiresAt: text }, now) ?? null;
  } catch {
    throw usageError('Give a duration such as 90d, a later date such as 2027-01-31, or never.');
  }
}

function chosenFrom(answer: string, known: ReadonlySet<string> | null, what: string): readonly string[] {
  const chosen = collect(answer, []);
  if (chosen.length === 0) throw usageError(`Give at least one ${what}.`);
  const stray = chosen.find((each) => known !== null && !known.has(each));
  if (stray !== undefined) throw usageError(`There is no ${what} ${quote(stray)}.`);
  return chosen;
}

/** `null`: not known, because the caller may not list them or there are too many. */
async function endpointsOf(backend: Backend): Promise<ReadonlySet<string> | null> {
  try {
    const { items, next } = await backend.listEndpoints({ limit: MOST_NAMED, cursor: null });
    return next === null ? new Set(items.map(({ id }) => id)) : null;
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  }
}
