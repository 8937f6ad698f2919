import type { StoredEndpoint } from '../ports/records.js';
import type { Store } from '../ports/store.js';
import { findEndpoints } from './dead-grants.js';

type FindEndpoint = Store['findEndpoint'];

/** Reads endpoints once for each name, and those that are asked for together in few calls of the store. */
export function gathered(store: Store): FindEndpoint {
  const organizations = new Map<string, (id: string) => ReturnType<FindEndpoint>>();
  return (organization, id) => {
    const find = organizations.get(organization) ?? gatheredIn(store, organization);
    organizations.set(organization, find);
    return find(id);
  };
}

function gatheredIn(store: Store, organization: string): (id: string) => ReturnType<FindEndpoint> {
  const answers = new Map<string, ReturnType<FindEndpoint>>();
  let together: { readonly ids: string[]; readonly read: Promise<ReadonlyMap<string, StoredEndpoint>> } | null = null;

  async function read(ids: readonly string[]): Promise<ReadonlyMap<string, StoredEndpoint>> {
    // The others ask before the next promise is settled.
    await null;
    together = null;
    const [first = ''] = ids;
    const found =
      ids.length === 1
        ? [await store.findEndpoint(organization, first)]
        : await findEndpoints(store, organization, ids);
    return new Map(found.flatMap((endpoint) => (endpoint === null ? [] : [[endpoint.id, endpoint]])));
  }

  return (id) => {
    let answer = answers.get(id);
    if (answer === undefined) {
      if (together === null) {
        const ids: string[] = [];
        together = { ids, read: read(ids) };
      }
      together.ids.push(id);
      answer = together.read.then((found) => found.get(id) ?? null);
      answers.set(id, answer);
    }
    return answer;
  };
}
