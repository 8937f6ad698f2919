import { escapeInvisible } from '../../domain/text.js';
import { EXIT } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { type Answer, ask, problemOf, succeeded } from './http-client.js';
import { organizationOnWire, userOnWire } from './wire.js';

export interface Identity {
  readonly user: string;
  readonly email: string;
  readonly organization: string;
}

/**
 * Asks the server for the owner of a token that is to be saved.
 *
 * @throws CliError if the server refuses the token, with the text of BentoCloud's client
 */
export async function validate(endpoint: string, token: string): Promise<Identity> {
  const answer = await ask(endpoint, { path: '/api/v1/auth/current', token });
  const { status } = answer;
  if (status >= 400 && status < 500 && status !== 404 && status !== 429) {
    const why = status === 401 ? 'Bad credentials' : escapeInvisible(problemOf(answer));
    throw new CliError(`Error validating token: HTTP ${status}: ${why} (${endpoint})`, EXIT.failed, { bare: true });
  }
  return identityOf(endpoint, token, answer);
}

/**
 * Asks the server for the owner of a token.
 *
 * @throws CliError if the server refuses the token
 */
export async function identify(endpoint: string, token: string): Promise<Identity> {
  return identityOf(endpoint, token, await ask(endpoint, { path: '/api/v1/auth/current', token }));
}

async function identityOf(endpoint: string, token: string, answer: Answer): Promise<Identity> {
  const user = userOnWire.safeParse(succeeded(endpoint, answer));
  const organization = organizationOnWire.safeParse(
    succeeded(endpoint, await ask(endpoint, { path: '/api/v1/current_org', token })),
  );
  if (!user.success || !organization.success) {
    throw new CliError(`${endpoint} did not answer like a postern server. Check the address`);
  }
  return {
    user: escapeInvisible(user.data.name),
    email: user.data.email ?? '',
    organization: escapeInvisible(organization.data.name),
  };
}
