import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Decision, Denied } from '../../domain/decision.js';
import type { Principal } from '../../domain/principal.js';
import type { Places } from '../credential.js';
import { holdRequest } from '../lease.js';
import { readGrpcCredential } from './grpc-credential.js';
import type { GrpcAnswer } from './grpc-status.js';
import { PRINCIPAL, setPrincipal } from './principals.js';
import { callOf, type GrpcRequest, requestOf } from './request.js';
import type { Ask } from './requirements.js';
import { resetUnlessOver } from './reset.js';

type Listener = Parameters<ServerInterceptingCallInterface['start']>[0];
type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** Shared by the calls of one guard. */
export interface Guarding {
  /** `null`: `authorization`. */
  readonly header: Places;
  answer(denial: Denied, request: GrpcRequest): GrpcAnswer;
  /** Reports an error; the result is a denial. */
  fault(error: unknown): Denied;
}

/**
 * One call behind a guard. It decides when the client's metadata arrives, before the handler hears of the call. While the
 * decision is pending, messages are held back in order. It stands between the wire and the handler, so it can end both: the
 * call with a status, the handler with a cancellation.
 *
 * It extends no class of grpc-js, so that this entry loads none: the application's copy is the only one.
 */
export class GuardedCall implements ServerInterceptingCallInterface {
  /** The next call towards the wire, under the name that grpc-js uses. */
  readonly nextCall: ServerInterceptingCallInterface;
  /** The caller; `undefined` until the call is allowed. */
  [PRINCIPAL]: Principal | null | undefined;
  readonly #guarding: Guarding;
  readonly #ask: Ask;
  readonly #path: string;
  #handler: Listener | null = null;
  #request: GrpcRequest | null = null;
  /** `deciding` until the handler hears of the call, `over` once nothing more may reach it. */
  #phase: 'deciding' | 'open' | 'over' = 'deciding';
  #held: (() => void)[] = [];
  /** Closes the lease of an open call. */
  #closeLease = () => {};

  constructor(guarding: Guarding, ask: Ask, path: string, wire: ServerInterceptingCallInterface) {
    this.#guarding = guarding;
    this.#ask = ask;
    this.#path = path;
    this.nextCall = wire;
  }

  start(handler: Listener): void {
    this.#handler = handler;
    this.nextCall.start({
      onReceiveMetadata: (metadata) => this.#receive(metadata, handler),
      onReceiveMessage: (message) => {
        if (this.#phase === 'open') handler.onReceiveMessage(message);
        else if (this.#phase === 'deciding') this.#held.push(() => handler.onReceiveMessage(message));
      },
      onReceiveHalfClose: () => {
        if (this.#phase === 'open') handler.onReceiveHalfClose();
        else if (this.#phase === 'deciding') this.#held.push(() => handler.onReceiveHalfClose());
      },
      onCancel: () => this.#cancel(),
    });
  }

  // Once the call has ended, anything that its handler still sends is dropped.

  sendMetadata(metadata: Metadata): void {
    if (this.#phase !== 'over') this.nextCall.sendMetadata(metadata);
  }

  sendMessage(message: unknown, callback: () => void): void {
    if (this.#phase !== 'over') this.nextCall.sendMessage(message, callback);
  }

  sendStatus(status: Status): void {
    if (this.#phase === 'over') return;
    this.#closeLease();
    this.nextCall.sendStatus(status);
  }

  startRead(): void {
    if (this.#phase !== 'over') this.nextCall.startRead();
  }

  getPeer() {
    return this.nextCall.getPeer();
  }

  getDeadline() {
    return this.nextCall.getDeadline();
  }

  getHost() {
    return this.nextCall.getHost();
  }

  getAuthContext() {
    return this.nextCall.getAuthContext();
  }

  getConnectionInfo() {
    return this.nextCall.getConnectionInfo();
  }

  getMetricsRecorder() {
    return this.nextCall.getMetricsRecorder();
  }

  #receive(metadata: Metadata, handler: Listener): void {
    this.#request = requestOf(this.#path, metadata, this.nextCall);
    const decision = this.#ask(this.#request, readGrpcCredential(metadata, this.#guarding.header));
    if (!(decision instanceof Promise)) this.#settle(decision, metadata, handler);
    // grpc-js does not catch an error of the handler here, and a rejection would end the process.
    else void decision.then((settled) => this.#settle(settled, metadata, handler)).catch((error) => this.#fail(error));
  }

  #settle(decision: Decision, metadata: Metadata, handler: Listener): void {
    // The client may have left while the decision was pending, or its deadline may have passed.
    if (this.#phase !== 'deciding') return;
    if (!decision.allowed) {
      this.#end(decision);
      return;
    }
    setPrincipal(metadata, decision.principal);
    this[PRINCIPAL] = decision.principal;
    this.#closeLease = holdRequest(callOf(this.#request as GrpcRequest), (denial) => this.#end(denial));
    this.#phase = 'open';
    handler.onReceiveMetadata(metadata);
    const held = this.#held;
    this.#held = [];
    for (const pass of held) pass();
  }

  #fail(error: unknown): void {
    if (this.#phase !== 'over') this.#end(this.#guarding.fault(error));
  }

  /** Ends the call with the status of a denial, and cancels its handler if that has begun. */
  #end(denial: Denied): void {
    const running = this.#phase === 'open';
    this.#close();
    this.nextCall.sendStatus(this.#guarding.answer(denial, this.#request as GrpcRequest));
    // grpc-js tells the handler once the status is on the wire: never, if the client has stopped reading.
    if (running) process.nextTick(() => this.#cancel());
    resetUnlessOver(this.nextCall);
  }

  /** Tells the handler, once, that the call is cancelled or over. */
  #cancel(): void {
    const handler = this.#handler;
    this.#handler = null;
    this.#close();
    handler?.onCancel();
  }

  #close(): void {
    this.#phase = 'over';
    this.#held = [];
    this.#closeLease();
  }
}
