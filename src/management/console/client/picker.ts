import type { Grants } from '../../wire/types.js';

/** What a token type's switch opens: the choice of what is granted. */
export interface Picker {
  readonly element: HTMLElement;
  /** What is chosen, as the API takes it; `null`: nothing yet. */
  grant(): Grants[string] | null;
  /** What to do where nothing is chosen. */
  readonly missing: string;
  focus(): void;
}
