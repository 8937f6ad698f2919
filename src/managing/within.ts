import { check } from '../base/check.js';
import type { ChangeEvent } from '../base/events.js';
import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { PosternError } from '../domain/errors.js';
import type { Confirmation, StoreWithin } from '../ports/store.js';
import type { transactionInput } from './inputs.js';

/**
 * A transaction of your own, in the database of the store: both your rows and the change are written, or neither. Give the object
 * that runs your statements in it: the transaction of Kysely, Drizzle, Knex, Prisma or postgres.js, or the connection of `pg`,
 * `mysql2`, `mariadb`, `node:sqlite` or `better-sqlite3` on which it is open, or an `SqlDriver` over it.
 *
 * @throws PosternError `input_invalid`: the store can't do this, or no transaction is open
 */
export interface InTransaction {
  readonly within: object;
}

/** A change in a transaction of your own, which is not committed yet. */
export interface Committed {
  /**
   * To be called once the transaction is committed, and never after it was rolled back: this process forgets what it has cached, and
   * calls `onEvent`. Without this call the change is heard of as one of another process. With `wait` it resolves as
   * `tokens.revoke` with `wait` does.
   */
  readonly committed: {
    (): Promise<void>;
    (options: { readonly wait: true }): Promise<Confirmation>;
  };
}

/** The methods that take {@link InTransaction}. */
type Joined = 'create' | 'update' | 'rotate' | 'revoke' | 'delete';

/** The methods of a room as they are without a transaction: of several signatures the last one. */
export type Alone<Room> = Omit<Room, Joined> & {
  readonly [Name in Joined & keyof Room]: Room[Name] extends (...given: infer Given) => infer Result
    ? (...given: Given) => Result
    : never;
};

/** The place of a method's options among its parameters, and their check if the method takes no others. */
type Options = readonly [place: number, check?: typeof transactionInput];

/** Work on a ground, with those who hear of its changes. */
export type Rooms<Room> = (ground: Ground, forgetting: Forgetting, emit: (event: ChangeEvent) => void) => Room;

type Method = (...given: unknown[]) => Promise<unknown>;

/** Makes a room whose methods also take `within`. Then the room's own method does its work in the transaction. */
export function withTransactions<Room extends object>(
  ground: Ground,
  forgetting: Forgetting,
  what: 'tokens' | 'endpoints',
  roomOn: Rooms<Room>,
  methods: Readonly<Record<Joined & keyof Room, Options>>,
): Room {
  const alone = roomOn(ground, forgetting, (event) => ground.events.emit(event));
  const methodOf = (room: Room, name: string) => (room as Readonly<Record<string, Method>>)[name] as Method;
  const joined = Object.entries<Options>(methods).map(([name, [place, schema]]) => [
    name,
    async (...given: unknown[]) => {
      const options = given[place];
      assertNoTransaction(options, `${what}.${name}`);
      if (typeof options !== 'object' || options === null) return methodOf(alone, name)(...given);
      const { within, ...rest } = options as Record<string, unknown>;
      if (schema !== undefined) check(schema, rest, `${what}.${name}`, 'input_invalid');
      if (!Object.hasOwn(options, 'within')) return methodOf(alone, name)(...given);
      return inTransaction(ground, forgetting, within, (...on) =>
        methodOf(roomOn(...on), name)(...given.with(place, rest)),
      );
    },
  ]);
  const refusing = Object.keys(alone)
    .filter((name) => !Object.hasOwn(methods, name))
    .map((name) => [
      name,
      async (...given: unknown[]) => {
        if (given.some(namesTransaction)) throw new PosternError('input_invalid', NOT_JOINED, { path: 'within' });
        return methodOf(alone, name)(...given);
      },
    ]);
  return { ...alone, ...Object.fromEntries([...refusing, ...joined]) };
}

const NOT_JOINED = 'is not possible with this method: it would be done outside of your transaction';

function namesTransaction(options: unknown): boolean {
  return typeof options === 'object' && options !== null && Object.hasOwn(options, 'within');
}

/** A transaction in place of the options has no properties, so the call would be done outside of it. @throws PosternError `input_invalid` */
function assertNoTransaction(options: unknown, input: string): void {
  const prototype = typeof options === 'object' && options !== null ? Object.getPrototypeOf(options) : null;
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (typeof options !== 'function' && isPlain) return;
  throw new PosternError('input_invalid', 'is no options object: give a transaction as { within: transaction }', {
    input,
  });
}

/** Does `work` in a transaction of the application, and lets nobody hear of it before the commit. */
async function inTransaction(
  ground: Ground,
  forgetting: Forgetting,
  transaction: unknown,
  work: Rooms<Promise<unknown>>,
): Promise<Committed> {
  if ((typeof transaction !== 'object' && typeof transaction !== 'function') || transaction === null) {
    throw new PosternError('input_invalid', 'is missing: give your transaction, or leave it out', { path: 'within' });
  }
  if (ground.store.within === undefined) {
    const problem = 'is not possible with this store: take a store over SQL, in the database of your transaction';
    throw new PosternError('input_invalid', problem, { path: 'within' });
  }
  const forgets: (() => void)[] = [];
  const events: ChangeEvent[] = [];
  const later: Forgetting = {
    token: (id) => void forgets.push(() => forgetting.token(id)),
    endpoints: (organization) => void forgets.push(() => forgetting.endpoints(organization)),
    absences: () => {},
    confirm: async () => {
      const problem = 'is not possible in a transaction: give it to committed() instead';
      throw new PosternError('input_invalid', problem, { path: 'wait' });
    },
  };
  const done = await ground.store.within(transaction, (store) =>
    work({ ...ground, ...groundIn(store) }, later, (event) => {
      events.push(event);
    }),
  );
  const committed = async ({ wait = false }: { readonly wait?: boolean } = {}) => {
    // Someone may have tried a new secret before the commit.
    forgetting.absences();
    for (const forget of forgets) forget();
    for (const event of events.splice(0)) ground.events.emit(event);
    return wait ? forgetting.confirm() : undefined;
  };
  return { ...(done as object | undefined), committed: committed as Committed['committed'] };
}

/** All reads are the transaction's own, those of a replica too. */
function groundIn(store: StoreWithin): Pick<Ground, 'store' | 'reads' | 'lockEntry'> {
  return { store: { ...store, close: async () => {} }, reads: store, lockEntry: store.lockEntry };
}
