import type { ChangeEvent } from '../base/events.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import type { Endpoint } from '../domain/endpoint.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { Change, ChangeType } from '../ports/changes.js';
import type { StoredEndpoint, StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';

/** A change to be written, with its event. */
export interface Announced {
  readonly change: Change;
  /** Calls `onEvent`. To be called once the change is written. */
  announce(): void;
}

/** Describes changes: for the audit log, which the store writes together with the change, and for `onEvent`. */
export interface ChangeLog {
  token(type: ChangeType, before: StoredToken | null, after: StoredToken | null, at: number): Announced;
  endpoint(type: ChangeType, before: StoredEndpoint | null, after: StoredEndpoint | null, at: number): Announced;
  /** The record; or `null` with a fault event if it is damaged, so that one bad row doesn't hide or block the others. */
  readable(token: StoredToken, at: number): TokenRecord | null;
}

/** @param emit called with each change, once it is written */
export function createChangeLog(ground: Ground, authority: Authority, emit: (event: ChangeEvent) => void): ChangeLog {
  const { actor, from } = authority;

  function announced<Shown>(
    type: ChangeType,
    subject: { readonly id: string; readonly organization: string },
    at: number,
    before: Shown | null,
    after: Shown | null,
    key: 'record' | 'endpoint',
  ): Announced {
    const { organization, id } = subject;
    const common = { type, actor, from, organization, subject: id };
    const shown = after ?? before;
    return {
      change: { id: newId(ground.settings.random), at, ...common, before: json(before), after: json(after) },
      announce: () => emit({ ...common, at: new Date(at), ...(shown !== null && { [key]: shown }) }),
    };
  }

  function readable(token: StoredToken, at: number): TokenRecord | null {
    try {
      return ground.reader.record(token);
    } catch (error) {
      ground.events.fault('record', error, at);
      return null;
    }
  }

  return {
    token(type, before, after, at) {
      const subject = (after ?? before) as StoredToken;
      return announced(type, subject, at, before && readable(before, at), after && readable(after, at), 'record');
    },
    endpoint(type, before, after, at) {
      const subject = (after ?? before) as StoredEndpoint;
      return announced(type, subject, at, before && shownEndpoint(before), after && shownEndpoint(after), 'endpoint');
    },
    readable,
  };
}

export function shownEndpoint(endpoint: StoredEndpoint): Endpoint {
  const { id, organization, access, createdAt, updatedAt } = endpoint;
  return { id, organization, access, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
