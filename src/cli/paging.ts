import type { Listed, Paging } from './backend/backend.js';
import type { Host } from './host.js';
import { progress } from './output/print.js';

const PAGE = 100;

/** Reads pages until there are `limit` items, or no more. */
export async function readPages<Item>(
  host: Host,
  limit: number,
  read: (page: Paging) => Promise<Listed<Item>>,
): Promise<{ readonly items: readonly Item[]; readonly more: boolean }> {
  const items: Item[] = [];
  const line = progress(host);
  let cursor: string | null = null;
  try {
    do {
      const page: Listed<Item> = await read({ limit: PAGE, cursor });
      items.push(...page.items);
      cursor = page.next;
      if (cursor !== null && items.length < limit) line.show(`${items.length} found …`);
    } while (cursor !== null && items.length < limit);
  } finally {
    line.end();
  }
  return { items: items.slice(0, limit), more: cursor !== null || items.length > limit };
}
