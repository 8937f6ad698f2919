import { readFileSync } from 'node:fs';

/** The package's version. The source and the built command are at different depths below `package.json`. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'postern') return found;
    } catch {
      // Not at this depth.
    }
  }
  return 'unknown';
}
