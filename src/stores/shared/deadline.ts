import { onNextTurn } from '../../base/runtime.js';

/** Milliseconds of a monotonic clock. */
export const elapsed = (): number => performance.now();

/**
 * The result of `work`, or a rejection after this many milliseconds. If the process was stopped meanwhile, it first handles the
 * answers that have arrived. A result that comes too late goes to `late`, which must release it.
 */
export function within<T>(
  work: Promise<T>,
  milliseconds: number,
  message: string,
  late?: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(
      () =>
        onNextTurn(() => {
          isLate = true;
          reject(new Error(message));
        }),
      Math.max(0, milliseconds),
    );
    work.then(
      (value) => {
        clearTimeout(timer);
        if (isLate) late?.(value);
        else resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
