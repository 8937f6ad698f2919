import type { AddressInfo, Server } from 'node:net';
import type { Denied } from 'postern';
import type { Deployments } from '../deployments.js';
import type { DemoPostern } from '../world.js';

/** What each server is made of. */
export interface Serving {
  readonly postern: DemoPostern;
  readonly deployments: Deployments;
  readonly onDenied: (denial: Denied) => undefined;
}

export interface Running {
  readonly port: number;
  /** Takes no new call, and resolves once those under way are answered. */
  close(): Promise<void>;
}

export const HOST = '127.0.0.1';
/** Another address of the loopback network stands for the inside of the cluster: its callers are in the internal zone. */
export const INSIDE = '127.0.0.2';

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
