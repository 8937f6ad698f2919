import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import type { OwnerWords } from '../options.js';
import type { User } from './types.js';

/** The names of owners. Each is looked up once for each request. */
export class Owners {
  readonly #context: Context;
  readonly #request: Request;
  readonly #known = new Map<string, Promise<User>>();

  /** @param caller a person of the application brings their own names */
  constructor(context: Context, request: Request, caller: Caller | null) {
    this.#context = context;
    this.#request = request;
    if (caller?.kind !== 'person') return;
    const { words } = caller;
    const { owner, organization } = caller.principal;
    if (owner === null) return;
    this.#known.set(keyOf(owner, organization), Promise.resolve(shape(owner, words)));
  }

  of(owner: string | null, organization: string): Promise<User> {
    if (owner === null) return Promise.resolve(shape('', {}));
    const key = keyOf(owner, organization);
    let words = this.#known.get(key);
    if (words === undefined) {
      words = this.#ask(owner, organization);
      this.#known.set(key, words);
    }
    return words;
  }

  async #ask(owner: string, organization: string): Promise<User> {
    try {
      return shape(owner, (await this.#context.settings.describeOwner?.(owner, organization)) ?? {});
    } catch (error) {
      // A directory that is down must not hide the tokens.
      this.#context.report(error, this.#request);
      return shape(owner, {});
    }
  }
}

function keyOf(owner: string, organization: string): string {
  return JSON.stringify([organization, owner]);
}

/** Only texts, because BentoCloud's client shows a null as the word `None`. */
function shape(owner: string, { name, email, firstName, lastName }: OwnerWords): User {
  return { name: text(name) || owner, email: text(email), first_name: text(firstName), last_name: text(lastName) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
