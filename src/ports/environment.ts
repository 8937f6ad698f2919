/** Epoch milliseconds. */
export type Clock = () => number;

/** Unpredictable bytes, as many as asked for. */
export type Random = (length: number) => Uint8Array;
