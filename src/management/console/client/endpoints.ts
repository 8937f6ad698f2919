import type { Access, Endpoint, EndpointPage, Preview } from '../../wire/types.js';
import { call } from './api.js';

/** The most endpoints that are read. The page says if there are more. */
export const MOST_ENDPOINTS = 1_000;

/** The organization's endpoints, by name. */
export async function readEndpoints(signal?: AbortSignal): Promise<readonly Endpoint[]> {
  const found: Endpoint[] = [];
  let cursor: string | null = null;
  do {
    const page: EndpointPage = await call('GET', 'api/v1/endpoints', { query: { count: 500, cursor }, signal });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < MOST_ENDPOINTS);
  return found;
}

export const createEndpoint = (id: string, access: Access) =>
  call<Endpoint>('POST', 'api/v1/endpoints', { body: { id, access } });

export const changeAccess = (id: string, access: Access) =>
  call<Endpoint>('PATCH', `api/v1/endpoints/${encodeURIComponent(id)}`, { body: { access } });

export const deleteEndpoint = (id: string) => call<unknown>('DELETE', `api/v1/endpoints/${encodeURIComponent(id)}`);

export const previewAccess = (id: string, access: Access, signal: AbortSignal) =>
  call<Preview>('GET', `api/v1/endpoints/${encodeURIComponent(id)}/preview`, { query: { access }, signal });

const ENDPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export function isEndpointName(text: string): boolean {
  return ENDPOINT_ID.test(text);
}
