/** One use of a command: a line for a shell, and the purpose of it. */
export interface Example {
  readonly line: string;
  readonly about: string;
}

/** The examples of every command, by its words. Groups have none. A test parses each with the real parser. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  init: [
    { line: 'postern init --framework express', about: 'in an empty folder: a guarded application that runs' },
    { line: 'postern init --framework hono --dry-run', about: 'only show the files' },
  ],
  doctor: [
    { line: 'postern doctor', about: 'the store of postern.config, and the server that you are logged in to' },
    { line: 'postern doctor --store postgres://db.internal/postern -o json', about: 'a database, for a program' },
  ],
  serve: [
    { line: 'postern serve', about: 'on ./postern.db, with the console at http://127.0.0.1:3210' },
    {
      line: 'postern serve --store postgres://db.internal/postern --origin https://postern.example.com --trusted-proxy 127.0.0.1',
      about: 'on PostgreSQL, behind a proxy with TLS',
    },
    {
      line: 'postern serve --port 0 --bootstrap-token-file ./admin.token',
      about: 'on a free port; the first token goes to a file',
    },
  ],
  gateway: [
    {
      line: "postern gateway --store sqlite:./postern.db --host-pattern '{endpoint}.{organization}.cloud.example.com' --trusted-proxy 127.0.0.1",
      about: 'the endpoint is in the host of the call',
    },
    {
      line: 'postern gateway --store postgres://db.internal/postern --endpoint-header X-Endpoint --trusted-proxy 10.0.0.5 --listen 10.0.0.4:4180',
      about: 'the proxy names the endpoint in a header',
    },
    {
      line: 'postern gateway --store redis://cache.internal --endpoint-context --trusted-proxy 127.0.0.1 --grpc-listen 127.0.0.1:4181',
      about: 'for Envoy over gRPC',
    },
    {
      line: 'postern gateway --endpoint-header X-Endpoint --trusted-proxy 10.0.0.5 --hop-issuer https://auth.example.com --hop-keys ./hop-keys.json --jwks-listen 10.0.0.4:4182',
      about: 'services behind it get a signed identity',
    },
  ],
  login: [
    { line: 'postern login --endpoint https://postern.example.com', about: 'through the browser' },
    {
      line: 'postern login --endpoint https://postern.example.com --api-token',
      about: 'with a token that you type unseen',
    },
    {
      line: 'postern login --endpoint https://postern.example.com --api-token-file ./ci.token --context ci',
      about: 'with a token in a file, as a second context',
    },
  ],
  logout: [
    { line: 'postern logout', about: 'of the current server' },
    { line: 'postern logout --context ci', about: 'of another one' },
  ],
  whoami: [
    { line: 'postern whoami', about: 'the owner of your token' },
    { line: 'postern whoami --context ci -o json', about: 'of another context, for a program' },
  ],
  open: [
    { line: 'postern open', about: 'the console, in a browser' },
    { line: 'postern open --no-browser', about: 'only print its address' },
  ],
  'context list': [{ line: 'postern context list', about: 'the servers that you are logged in to' }],
  'context use': [{ line: 'postern context use ci', about: 'work on another server from now on' }],
  'context show': [
    { line: 'postern context show', about: 'the current server, with a shortened token' },
    { line: 'postern context show ci --show-token', about: 'another one, with its whole token' },
  ],
  'context delete': [{ line: 'postern context delete ci', about: 'forget a server and its token' }],
  'current-context': [
    {
      line: `postern current-context | jq '("endpoint:" + .endpoint + ", api_token:" + .api_token)'`,
      about: 'the server and the whole token, for a program',
    },
  ],
  'list-context': [{ line: 'postern list-context', about: 'like postern context list' }],
  'use-context': [{ line: 'postern use-context ci', about: 'like postern context use' }],
  'api-token list': [
    { line: 'postern api-token list', about: 'the newest 100' },
    { line: 'postern api-token list --owner ada --type user', about: "ada's user tokens" },
    { line: 'postern api-token list --status revoked --all', about: 'the revoked ones, however old' },
    { line: 'postern api-token list --all -o json', about: 'all of them, for a program' },
    { line: 'postern api-token list --store sqlite:./postern.db', about: 'of a store, without a server' },
  ],
  'api-token create': [
    { line: 'postern api-token create', about: 'on a terminal: it asks for everything' },
    {
      line: 'postern api-token create --name deploy --scope models:write --expires-in 90d',
      about: 'a developer token for 90 days',
    },
    {
      line: 'TOKEN=$(postern api-token create --name app --endpoint summarizer --rate-limit 100/1m --expires-in 30d)',
      about: 'a user token for one endpoint, into a variable',
    },
    {
      line: "postern api-token create --store sqlite:./postern.db --name admin --owner admin --scope '*'",
      about: 'in a store, for the first login',
    },
  ],
  'api-token get': [
    { line: 'postern api-token get 2Yx0mBq7c9RtVn4kLsWd3F', about: 'its grants, limits and times' },
    { line: 'postern api-token get 2Yx0mBq7c9RtVn4kLsWd3F -o yaml', about: 'for a program' },
  ],
  'api-token update': [
    { line: 'postern api-token update 2Yx0mBq7c9RtVn4kLsWd3F --expires-in 90d', about: 'a new end, 90 days from now' },
    {
      line: 'postern api-token update 2Yx0mBq7c9RtVn4kLsWd3F --endpoint summarizer,reader --rate-limit none',
      about: 'other grants, and no rate limit',
    },
  ],
  'api-token rotate': [
    { line: 'postern api-token rotate 2Yx0mBq7c9RtVn4kLsWd3F --grace 1h', about: 'the old secret works one hour more' },
  ],
  'api-token revoke': [{ line: 'postern api-token revoke 2Yx0mBq7c9RtVn4kLsWd3F', about: 'at once and for good' }],
  'api-token reset-limits': [
    { line: 'postern api-token reset-limits 2Yx0mBq7c9RtVn4kLsWd3F', about: 'let it call again' },
  ],
  'api-token delete': [
    { line: 'postern api-token delete 2Yx0mBq7c9RtVn4kLsWd3F', about: 'it asks first' },
    { line: 'postern api-token delete 2Yx0mBq7c9RtVn4kLsWd3F --yes', about: 'in a script' },
  ],
  'api-token prune': [
    {
      line: 'postern api-token prune --store sqlite:./postern.db --older-than 90d --yes',
      about: 'in a script, such as once a night',
    },
  ],
  'api-token import': [
    { line: 'postern api-token import keys.ndjson --store config --dry-run', about: 'only check the rows' },
    {
      line: 'postern api-token import keys.csv --store sqlite:./postern.db --errors bad-rows.ndjson',
      about: 'rows that are not imported go to a file',
    },
  ],
  'api-token usage': [
    { line: 'postern api-token usage 2Yx0mBq7c9RtVn4kLsWd3F', about: 'its uses by endpoint, all time' },
  ],
  'endpoint list': [{ line: 'postern endpoint list', about: 'all endpoints with their access' }],
  'endpoint create': [
    { line: 'postern endpoint create summarizer', about: 'protected: only with a token' },
    { line: 'postern endpoint create landing --access public', about: 'anyone may call it' },
  ],
  'endpoint update': [
    { line: 'postern endpoint update summarizer --access private', about: 'nobody from outside may call it' },
  ],
  'endpoint delete': [{ line: 'postern endpoint delete summarizer --yes', about: 'with all grants of it' }],
  'endpoint preview': [
    { line: 'postern endpoint preview summarizer --access public', about: 'who would gain it, before the change' },
  ],
  'audit list': [
    { line: 'postern audit list --since 7d', about: 'the changes of the last week' },
    { line: 'postern audit list --subject 2Yx0mBq7c9RtVn4kLsWd3F', about: 'the history of one token' },
    {
      line: 'postern audit list --action token.revoked --actor ada --since 2026-01-01 --until 2026-02-01 -o json',
      about: 'the tokens that ada revoked in January',
    },
  ],
  usage: [
    { line: 'postern usage --from 2026-01-01 --to 2026-01-31', about: 'the uses of all tokens in January, by day' },
    { line: 'postern usage --token 2Yx0mBq7c9RtVn4kLsWd3F -o json', about: 'of one token, for a program' },
  ],
  verify: [
    { line: 'echo "$TOKEN" | postern verify', about: 'a token in a variable' },
    { line: 'postern verify --token-file ./app.token -o json', about: 'a token in a file, for a program' },
  ],
  explain: [
    { line: 'echo "$TOKEN" | postern explain --endpoint summarizer', about: 'would a call of this endpoint pass?' },
    {
      line: 'postern explain --scope models:write --token-file ./app.token',
      about: 'would a call that needs this scope?',
    },
    { line: 'postern explain --endpoint landing --no-token', about: 'would a call without a token?' },
  ],
  derive: [
    {
      line: 'postern derive --endpoint summarizer --method POST --expires-in 5m',
      about: 'from the token of the current context',
    },
    { line: 'echo "$TOKEN" | postern derive --scope models:read --token-file -', about: 'from a token in a variable' },
  ],
  migrate: [
    { line: 'postern migrate --store sqlite:./postern.db', about: 'make or upgrade its tables' },
    {
      line: 'postern migrate --store postgres://db.internal/postern --dry-run > upgrade.sql',
      about: 'only print the statements',
    },
  ],
  schema: [
    {
      line: 'postern schema --sql --schema auth > postern.sql',
      about: 'for a migration of your own, on PostgreSQL',
    },
    { line: 'postern schema --sql --dialect mysql --prefix app_ > postern.sql', about: 'for MariaDB or MySQL' },
    { line: 'postern schema --drizzle > postern-tables.ts', about: 'to read the tables with Drizzle' },
    { line: 'postern schema --prisma --dialect sqlite >> schema.prisma', about: 'to read them with Prisma' },
    { line: 'postern schema --kysely > postern-tables.ts', about: 'to read them with Kysely' },
  ],
  completion: [
    { line: 'postern completion bash > ~/.local/share/bash-completion/completions/postern', about: 'for bash' },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: zsh reads it
    { line: 'postern completion zsh > "${fpath[1]}/_postern"', about: 'for zsh' },
    { line: 'postern completion fish > ~/.config/fish/completions/postern.fish', about: 'for fish' },
  ],
};

/** The section `Examples` of a command's help. Empty if it has none. */
export function examplesOf(path: string): string {
  const lines = (EXAMPLES[path] ?? []).map(({ line, about }) => `  # ${about}\n  ${line}`);
  return lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n')}`;
}
