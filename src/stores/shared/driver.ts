import { PosternError } from '../../domain/errors.js';

/** Finds a driver by its name; `null`: there is none. */
export type FindDriver = (name: string) => unknown;

/**
 * From where drivers are looked for: from this file (a bundler may have replaced its URL by a place that is not there), and from the
 * program that was started. Not from the working directory, which may be anyone's.
 */
const PLACES: readonly (string | undefined)[] = [import.meta.url, process.argv[1]];

/**
 * Loads a package that the application installs if it wants to.
 *
 * @returns `null` where it is not found
 * @throws PosternError `driver_missing` where it is found, and can not be loaded
 */
export function findDriver(name: string, places: readonly (string | undefined)[] = PLACES): unknown {
  for (const place of places) {
    const load = requireFrom(place);
    if (load === null || pathOf(name, load) === null) continue;
    try {
      return load(name);
    } catch (error) {
      throw new PosternError(
        'driver_missing',
        `${name} is found, and can not be loaded on this machine (${firstLine(error)}). Run again: npm install ${name}`,
        { cause: error },
      );
    }
  }
  return null;
}

/**
 * Why there is no driver: it is not installed, or only out of the reach of a bundle that holds this store.
 *
 * @param names each of them would do
 * @param handOver what an application writes to hand over its own, such as `postgresStore({ pool })`
 */
export function noDriver(
  names: readonly [string, ...string[]],
  handOver: string,
  directory: string = process.cwd(),
): PosternError {
  const here = requireFrom(`${directory}/index.js`);
  const installed = names.find((name) => here !== null && pathOf(name, here) !== null);
  const [first, ...others] = names.map((name) => `npm install ${name}`);
  const choice = others.length === 0 ? '' : ` (or: ${others.join(', ')})`;
  return new PosternError(
    'driver_missing',
    installed === undefined
      ? `there is no ${names.join(' and no ')} here. Run: ${first}${choice}, or hand over your own: ${handOver}`
      : `${installed} is installed, and the bundle that postern is in does not reach it. Hand it over, ${handOver}, or keep postern out of the bundle: serverExternalPackages: ['postern'] in next.config, external: ['postern'] in esbuild and Rollup, externals: ['postern'] in webpack`,
  );
}

/** In a way that no bundler takes for an import: it would look for drivers that nobody uses, and fail on native ones. */
function requireFrom(place: string | undefined): NodeJS.Require | null {
  try {
    return place === undefined ? null : process.getBuiltinModule('node:module').createRequire(place);
  } catch {
    return null;
  }
}

function pathOf(name: string, { resolve }: NodeJS.Require): string | null {
  try {
    return resolve(name);
  } catch {
    return null;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] as string;
}
