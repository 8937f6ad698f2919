import { type GuardOptions, headerName, headerOption, optionsReader } from '../guard-options.js';
import type { OnDenied } from './grpc-status.js';
import type { GrpcRequest } from './request.js';

/** Options of the gRPC `guard`. */
export interface GrpcGuardOptions extends GuardOptions<GrpcRequest> {
  /**
   * Answers a denied call in the application's own form. It is synchronous (a promise is not awaited), and it can't turn a
   * denial into an allow. Give `endpoint_unknown` and `endpoint_private` the same answer: private endpoints must not show.
   */
  readonly onDenied?: OnDenied | undefined;
}

export const readGrpcOptions = optionsReader('guard of postern/grpc', {
  header: headerOption(
    headerName
      // The characters of a metadata key (gRPC over HTTP/2, "Custom-Metadata").
      .refine((name) => /^[a-z0-9_.-]+$/.test(name), 'give a metadata key')
      .refine((name) => !name.endsWith('-bin'), 'is a binary key, but a token is text: use a key without -bin')
      .refine((name) => !name.startsWith('grpc-'), "is one of gRPC's own keys: use a key without grpc-"),
  ),
});
