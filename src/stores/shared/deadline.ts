/** Milliseconds that no clock that is set can move. */
export const elapsed = (): number => performance.now();

/**
 * What `work` comes to, or a rejection after so many milliseconds. A process that stood still meanwhile looks at what has
 * arrived before it gives up. What `work` comes to later is for `late` to give back.
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
        setImmediate(() => {
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
