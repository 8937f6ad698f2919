import type { Listed, Paging } from './backend/backend.js';
import type { Host } from './host.js';
import { progress } from './output/print.js';

const PAGE = 100;

/** Reads pages until there are `limit` wanted items, or no more. */
export async function readPages<Item>(
  host: Host,
  limit: number,
  read: (page: Paging) => Promise<Listed<Item>>,
  isWanted: (item: Item) => boolean = () => true,
): Promise<{ readonly items: readonly Item[]; readonly more: boolean }> {
  const items: Item[] = [];
  const line = progress(host);
  let cursor: string | null = null;
  let seen = 0;
  try {
    do {
      const page: Listed<Item> = await read({ limit: PAGE, cursor });
      items.push(...page.items.filter(isWanted));
      seen += page.items.length;
      cursor = page.next;
      if (cursor !== null && items.length < limit) line.show(`${seen} read …`);
    } while (cursor !== null && items.length < limit);
  } finally {
    line.end();
  }
  return { items: items.slice(0, limit), more: cursor !== null || items.length > limit };
}
