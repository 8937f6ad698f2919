import type { Route } from '../routes/route.js';

/** The routes of one path, by method. */
interface Place {
  readonly segments: readonly string[];
  readonly routes: Map<string, Route>;
}

export interface Match {
  readonly routes: ReadonlyMap<string, Route>;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the routes of a path; `null` if there are none. */
export interface Router {
  (path: string): Match | null;
  /** The number of segments of the longest path, including the empty one before the first slash. */
  readonly longest: number;
}

/** Finds the routes of a path. Segments are compared exactly: `//`, a slash at the end or another case make another path. */
export function createRouter(routes: readonly Route[]): Router {
  const places = new Map<string, Place>();
  for (const route of routes) {
    const place = places.get(route.path) ?? { segments: route.path.split('/'), routes: new Map() };
    place.routes.set(route.method, route);
    places.set(route.path, place);
  }
  const longest = Math.max(...[...places.values()].map(({ segments }) => segments.length));
  const find = (path: string): Match | null => {
    const segments = path.split('/', longest + 1);
    for (const place of places.values()) {
      const params = match(place.segments, segments);
      if (params !== null) return { routes: place.routes, params };
    }
    return null;
  };
  return Object.assign(find, { longest });
}

function match(pattern: readonly string[], segments: readonly string[]): Readonly<Record<string, string>> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] as string;
    if (!expected.startsWith('{')) {
      if (expected !== segment) return null;
      continue;
    }
    const value = decoded(segment);
    if (value === null || value === '') return null;
    params[expected.slice(1, -1)] = value;
  }
  return params;
}

/** A decoded segment of a path; `null` if it can't be decoded. */
export function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
