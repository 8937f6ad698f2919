const READS = ['findTokenByDigest', 'findToken', 'listTokens', 'listExpiredTokens', 'findEndpoint', 'listEndpoints'];
const WRITES = [
  'insertTokens',
  'replaceToken',
  'deleteTokens',
  'recordUsage',
  'insertEndpoint',
  'replaceEndpoint',
  'deleteEndpoint',
];

/** A store that counts the calls it passes on. */
export function countingStore(store) {
  const counts = { reads: 0, writes: 0 };
  const counted = { ...store };
  for (const [methods, kind] of [
    [READS, 'reads'],
    [WRITES, 'writes'],
  ]) {
    for (const method of methods) {
      counted[method] = (...args) => {
        counts[kind]++;
        return store[method](...args);
      };
    }
  }
  return { store: counted, counts };
}
