import type { Grants } from '../../wire/types.js';

/** The choice of grants below a token type's switch. */
export interface Picker {
  readonly element: HTMLElement;
  /** The chosen grant in the API's form; `null`: nothing yet. */
  grant(): Grants[string] | null;
  /** The message if nothing is chosen. */
  readonly missing: string;
  focus(): void;
}
