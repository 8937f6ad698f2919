import type { EventListener } from 'postern';
import type { Terminal } from './terminal.js';
import type { DemoTokens } from './world.js';

/** Shows what is decided while the reader tries things: postern's events, as an application would log them. */
export interface LiveView {
  readonly onEvent: EventListener;
  /** Shows decisions from now on. */
  start(tokens: DemoTokens): void;
}

export function createLiveView({ line, paint }: Terminal): LiveView {
  let names: ReadonlyMap<string, string> | null = null;
  return {
    start(tokens) {
      names = new Map(Object.values(tokens).map(({ record }) => [record.id, record.name]));
    },
    onEvent(event) {
      if (names === null || event.type !== 'decision') return;
      const time = paint('dim', event.at.toISOString());
      const holder = event.tokenId === null ? '' : `  token ${names.get(event.tokenId) ?? event.tokenId}`;
      line(
        event.allowed
          ? `${time}  ${paint('green', 'allowed')}${holder}`
          : `${time}  ${paint('yellow', 'denied')}   ${event.reason}`,
      );
    },
  };
}
