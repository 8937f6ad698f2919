import { type Command, Option } from 'commander';
import type { GrantView } from './backend/backend.js';
import { usageError } from './failure.js';
import { collect } from './options.js';

export interface GrantOptions {
  readonly endpoint?: readonly string[] | undefined;
  readonly allEndpoints?: boolean | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly types?: string | undefined;
}

/** BentoCloud's token types, for `--endpoint` and `--scope`. Other types need `--types`. */
const ENDPOINT_TYPE = 'user';
const SCOPE_TYPE = 'developer';

export function withGrants(command: Command): Command {
  return command
    .addOption(new Option('--endpoint <id>', 'user token: an endpoint that it reaches; repeatable').argParser(collect))
    .addOption(
      new Option('--all-endpoints', 'user token: reaches every endpoint, later ones too').conflicts('endpoint'),
    )
    .addOption(
      new Option(
        '--scope <scope>',
        'developer token: a scope that it holds, such as models:write, models:* or *; repeatable',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--types <json>',
        'grants as JSON, for an application with its own token types, such as {"user":{"endpoints":["summarizer"]}}',
      ).conflicts(['endpoint', 'allEndpoints', 'scope']),
    );
}

/** The grants of the options; `undefined` if there are none. */
export function grantsOf({
  endpoint,
  allEndpoints,
  scope,
  types,
}: GrantOptions): Readonly<Record<string, GrantView>> | undefined {
  if (types !== undefined) return readTypes(types);
  const endpoints = allEndpoints ? '*' : endpoint;
  if (endpoints === undefined && scope === undefined) return undefined;
  return {
    ...(endpoints && { [ENDPOINT_TYPE]: { endpoints } }),
    ...(scope && { [SCOPE_TYPE]: { scopes: scope } }),
  };
}

/** Checks only the form. The library checks the content, because it knows the token types. */
function readTypes(json: string): Readonly<Record<string, GrantView>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, GrantView>;
  } catch {
    // The error below says it.
  }
  throw usageError('--types is no JSON object. Give one such as {"developer":{"scopes":["models:read"]}}');
}
