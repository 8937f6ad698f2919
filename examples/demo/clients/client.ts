import type { Target } from '../targets.js';

export interface Call {
  /** The tokens to send: none, one, or (as no one should) several. */
  readonly tokens: readonly string[];
  readonly target: Target;
  /** Whether it comes from inside the cluster. */
  readonly inside: boolean;
}

/** What a client sees. */
export interface Answer {
  readonly ok: boolean;
  /** The HTTP status, or the name of the gRPC status. */
  readonly status: string;
}

export interface Client {
  /** As the table shows it. */
  readonly transport: string;
  readonly protocol: 'http' | 'grpc';
  call(call: Call): Promise<Answer>;
  close?(): void | Promise<void>;
}
