/** Epoch milliseconds. */
export type Clock = () => number;

/** Returns `length` unpredictable bytes. */
export type Random = (length: number) => Uint8Array;
