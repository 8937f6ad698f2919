import type { Access, DenialReason, Endpoints, IssuedToken, Tokens } from 'postern';

/** The calls of the demo and their names in each protocol. All servers serve the same. */
export const TARGETS = {
  summarizer: deployment('summarizer', '/bento.Summarizer/Summarize'),
  status: deployment('status', '/bento.Status/Check'),
  metrics: deployment('metrics', '/bento.Metrics/Read'),
  /** Served, but never registered with postern. */
  translator: deployment('translator', '/bento.Translator/Translate'),
  'read models': { label: 'read models', method: 'GET', path: '/api/v1/models', grpc: '/bento.Models/List', body: {} },
  'write models': {
    label: 'write models',
    method: 'POST',
    path: '/api/v1/models',
    grpc: '/bento.Models/Create',
    body: { name: 'llama', version: '1' },
  },
} as const;

export type Target = keyof typeof TARGETS;

export interface Call {
  /** None, one, or (as no client should) several. */
  readonly tokens: readonly string[];
  readonly target: Target;
  /** From inside the cluster. */
  readonly inside?: boolean;
}

export interface Answer {
  readonly ok: boolean;
  /** The HTTP status, or the name of the gRPC status. */
  readonly status: string;
}

export interface Client {
  readonly transport: string;
  readonly protocol: 'http' | 'grpc';
  /** Another program (curl, Python): a start takes a while, so it makes a part of the calls only. */
  readonly slow?: boolean;
  call(call: Call): Promise<Answer>;
  close?(): unknown;
}

/** The status that a client gets for each denial. */
const STATUSES = {
  token_missing: { http: '401', grpc: 'UNAUTHENTICATED' },
  token_malformed: { http: '400', grpc: 'UNAUTHENTICATED' },
  token_unknown: { http: '401', grpc: 'UNAUTHENTICATED' },
  token_revoked: { http: '401', grpc: 'UNAUTHENTICATED' },
  scope_missing: { http: '403', grpc: 'PERMISSION_DENIED' },
  endpoint_not_granted: { http: '403', grpc: 'PERMISSION_DENIED' },
  endpoint_unknown: { http: '404', grpc: 'NOT_FOUND' },
  endpoint_private: { http: '404', grpc: 'NOT_FOUND' },
} as const satisfies Partial<Record<DenialReason, Record<Client['protocol'], string>>>;

export type Expected = 'allowed' | keyof typeof STATUSES;

export interface Attempt extends Call {
  readonly who: string;
  readonly expected: Expected;
  /** Slow clients make this call too. */
  readonly everywhere?: boolean;
}

/** A change while the servers run, and the calls that follow at once. */
export interface Step {
  readonly title: string;
  readonly change?: () => Promise<unknown>;
  readonly attempts: readonly Attempt[];
}

/** The calls of the tutorial in their order. Without `canBeInside` the one from inside is left out. */
export function stepsOf(
  { endpoints, tokens }: { endpoints: Pick<Endpoints, 'update'>; tokens: Pick<Tokens, 'delete'> },
  { user, developer, both }: Readonly<Record<'user' | 'developer' | 'both', IssuedToken>>,
  canBeInside: boolean,
): readonly Step[] {
  const call = (who: string, ...sent: string[]) => {
    return (target: Target, expected: Expected): Attempt => ({ who, tokens: sent, target, expected });
  };
  const everywhere = (attempt: Attempt): Attempt => ({ ...attempt, everywhere: true });
  const userToken = call('user token', user.token);
  const developerToken = call('developer token', developer.token);
  const bothTypes = call('both-types token', both.token);
  const nobody = call('no token');
  // The last character mistyped: its checksum is wrong.
  const wrong = call('wrong token', user.token.slice(0, -1) + (user.token.endsWith('0') ? '1' : '0'));
  const twoTokens = call('two tokens', user.token, developer.token);
  const inside: Attempt = { ...call('no token, inside')('metrics', 'allowed'), inside: true };
  const becomes = (access: Access, withToken: Expected, without: Expected): Step => ({
    title: `summarizer becomes ${access}`,
    change: () => endpoints.update('summarizer', { access }),
    attempts: [everywhere(userToken('summarizer', withToken)), everywhere(nobody('summarizer', without))],
  });

  return [
    {
      title: 'as registered: summarizer protected, status public, metrics private',
      attempts: [
        everywhere(userToken('summarizer', 'allowed')),
        everywhere(nobody('summarizer', 'token_missing')),
        wrong('summarizer', 'token_unknown'),
        twoTokens('summarizer', 'token_malformed'),
        everywhere(developerToken('summarizer', 'endpoint_not_granted')),
        userToken('read models', 'scope_missing'),
        // `models:write` includes `models:read`.
        developerToken('read models', 'allowed'),
        everywhere(developerToken('write models', 'allowed')),
        bothTypes('summarizer', 'allowed'),
        bothTypes('write models', 'allowed'),
        nobody('status', 'allowed'),
        nobody('metrics', 'endpoint_private'),
        ...(canBeInside ? [inside] : []),
        nobody('translator', 'endpoint_unknown'),
      ],
    },
    becomes('public', 'allowed', 'allowed'),
    becomes('private', 'endpoint_private', 'endpoint_private'),
    becomes('protected', 'allowed', 'token_missing'),
    {
      title: 'the both-types token is deleted',
      change: () => tokens.delete(both.record.id),
      attempts: [everywhere(bothTypes('summarizer', 'token_unknown')), bothTypes('write models', 'token_unknown')],
    },
  ];
}

/** The reason that a guard gave for its last denial. A client sees less: private and unknown endpoints look the same. */
export interface Told {
  reason: DenialReason | null;
}

/** `null` if all is as expected: the guard's reason and the client's status both have to be right. Else the expectation. */
export function judge(
  expected: Expected,
  protocol: Client['protocol'],
  { ok, status }: Answer,
  reason: DenialReason | null,
): string | null {
  if (expected === 'allowed') return ok && reason === null ? null : 'allowed';
  const wanted = STATUSES[expected][protocol];
  return !ok && reason === expected && status === wanted ? null : `${expected}, ${wanted}`;
}

/** Makes the changes and the calls, one at a time, and prints each outcome. Resolves to the number of unexpected ones. */
export async function runSteps(
  steps: readonly Step[],
  clients: readonly Client[],
  told: Told,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<number> {
  const table = startTable(terminal, steps, clients);
  let total = 0;
  let unexpected = 0;
  for (const { title, change, attempts } of steps) {
    await change?.();
    table.step(title);
    for (const attempt of attempts) {
      for (const client of clients) {
        if (client.slow && !attempt.everywhere) continue;
        stop.throwIfAborted();
        told.reason = null;
        const answer = await client.call(attempt);
        const wanted = judge(attempt.expected, client.protocol, answer, told.reason);
        total++;
        if (wanted !== null) unexpected++;
        table.row(attempt, client.transport, answer, told.reason, wanted);
      }
    }
  }
  const { line, note, paint } = terminal;
  line();
  note('The reason is what the guard tells its operator, the status what the client gets: no client can tell a');
  note('private deployment from one that was never registered.');
  if (unexpected === 0) line(paint('green', `All ${total} decisions were the expected ones.`));
  else line(paint('red', `${unexpected} of ${total} decisions were not the expected ones.`));
  return unexpected;
}

/** Aligned columns on a terminal, cells between tabs in a pipe. */
function startTable({ isTTY, line, paint }: Terminal, steps: readonly Step[], clients: readonly Client[]) {
  const attempts = steps.flatMap((step) => step.attempts);
  const columns: readonly [name: string, ...longest: string[]][] = [
    ['who', ...attempts.map(({ who }) => who)],
    ['what', ...attempts.map(({ target }) => TARGETS[target].label)],
    ['transport', ...clients.map(({ transport }) => transport)],
    ['decision'],
    ['reason', ...attempts.map(({ expected }) => expected)],
    ['status', 'PERMISSION_DENIED'],
  ];
  const print = (cells: readonly string[], styles: readonly Style[], mark: string) => {
    if (!isTTY) return line([...cells, mark].join('\t'));
    const padded = cells.map((cell, i) => cell.padEnd(Math.max(...(columns[i] ?? []).map(({ length }) => length))));
    line(`  ${padded.map((cell, i) => paint(styles[i] ?? 'bold', cell)).join('  ')}  ${mark}`.trimEnd());
  };
  let previous = '';
  const headings = columns.map(([name]) => name);
  print(headings, [], isTTY ? '' : 'expected');
  return {
    step(title: string) {
      previous = '';
      if (isTTY) line();
      line(paint('cyan', `${isTTY ? '  ' : ''}-- ${title}`));
    },
    row(attempt: Attempt, transport: string, answer: Answer, reason: string | null, wanted: string | null) {
      const { label } = TARGETS[attempt.target];
      const told: Style = previous === `${attempt.who} ${label}` ? 'dim' : 'bold';
      previous = `${attempt.who} ${label}`;
      const outcome: Style = answer.ok ? 'green' : 'yellow';
      const cells = [attempt.who, label, transport, answer.ok ? 'allowed' : 'denied', reason ?? '-', answer.status];
      const right = isTTY ? paint('green', '✓') : 'yes';
      const wrong = isTTY ? paint('red', `✗ expected ${wanted}`) : `UNEXPECTED (wanted ${wanted})`;
      print(cells, [told, told, 'cyan', outcome, outcome, outcome], wanted === null ? right : wrong);
    },
  };
}

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Style = keyof typeof STYLES;

export type Terminal = ReturnType<typeof createTerminal>;

/** Node's `hasColors` knows NO_COLOR and TERM; a pipe has no such method. */
export function createTerminal(output: { isTTY?: boolean; hasColors?(): boolean; write(text: string): unknown }) {
  const colours = output.hasColors?.() ?? false;
  const paint = (style: Style, text: string) => (colours && text ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text);
  const line = (text = '') => void output.write(`${text}\n`);
  return {
    isTTY: output.isTTY === true,
    paint,
    line,
    heading: (text: string) => line(`\n${paint('bold', text)}`),
    note: (text: string) => line(paint('dim', text)),
    /** For a reader to copy: nothing is put before or into it. */
    paste: (text: string) => line(paint('cyan', text)),
  };
}

function deployment(id: string, grpc: string) {
  const body = { prompt: 'What state is Los Angeles in?', max_length: 100 };
  return { label: `call ${id}`, method: 'POST', path: `/d/${id}`, grpc, body } as const;
}
