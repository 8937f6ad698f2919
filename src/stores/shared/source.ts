import { PosternError } from '../../domain/errors.js';

/** Where the pool and the address were given. */
interface Options {
  /** The store, for errors. */
  readonly input: string;
  /** The name of the address among the options. */
  readonly address: 'connectionString' | 'uri';
  /** As they were given: the address may be there, and undefined. */
  readonly given: object;
  /** Before their names in errors. */
  readonly path: '' | 'reader.';
}

/**
 * Refuses options with both a pool and an address, or with neither.
 *
 * @throws PosternError `option_invalid`
 */
export function assertOneSource(pool: unknown, named: unknown, { input, address, given, path }: Options): void {
  if ((pool === undefined) !== (named === undefined)) return;
  const isUnset = named === undefined && Object.hasOwn(given, address);
  throw isUnset
    ? new PosternError('option_invalid', 'is undefined: set the variable that it comes from', {
        path: path + address,
        input,
      })
    : new PosternError('option_invalid', `give either a pool or a ${address}`, { path: `${path}pool`, input });
}
