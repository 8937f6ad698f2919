import type { Usage } from '../ports/records.js';

/** The uses of a token since the last batch. Most tokens call one endpoint only, which is counted without a map. */
export class Uses {
  lastUsedAt = 0;
  #count = 0;
  #others: Map<string, number> | null = null;

  constructor(
    readonly tokenId: string,
    readonly endpoint: string,
  ) {}

  add(endpoint: string, now: number, count = 1): void {
    if (now > this.lastUsedAt) this.lastUsedAt = now;
    if (endpoint === this.endpoint) {
      this.#count += count;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(endpoint, (this.#others.get(endpoint) ?? 0) + count);
  }

  counts(): Usage['counts'] {
    const first = { endpoint: this.endpoint, count: this.#count };
    return [first, ...[...(this.#others ?? [])].map(([endpoint, count]) => ({ endpoint, count }))];
  }
}
