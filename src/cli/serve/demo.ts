import { isPosternError } from '../../domain/errors.js';
import type { Postern } from '../../instance/create-postern.js';
import { guard } from '../../transports/fetch.js';

const ENDPOINT = 'demo';
export const DEMO_PATH = '/demo';

/**
 * An endpoint to try tokens on: `GET /demo/anything`, guarded like an application's own. Each start registers it as protected, unless it
 * exists.
 */
export async function demoEndpoint(
  postern: Postern,
  organization: string,
): Promise<(request: Request) => Promise<Response>> {
  try {
    await postern.endpoints.create({ id: ENDPOINT, access: 'protected', organization });
  } catch (error) {
    if (!isPosternError(error) || error.code !== 'endpoint_exists') throw error;
  }
  return guard(postern, { endpoint: ENDPOINT, organization }, (request, { principal }) => {
    const { pathname } = new URL(request.url);
    const caller = principal && {
      token: principal.tokenId,
      owner: principal.owner,
      organization: principal.organization,
    };
    return Response.json({ endpoint: ENDPOINT, method: request.method, path: pathname, caller }, { headers: NO_STORE });
  });
}

const NO_STORE = { 'cache-control': 'no-store' };
