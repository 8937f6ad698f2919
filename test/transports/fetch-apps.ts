import { type Context, Hono } from 'hono';
import type { Postern, Requirement, TokenTypes, Zone } from 'postern';
import { type FetchCall, type GuardContext, guard } from 'postern/fetch';
import { guard as honoGuard, refuseUndeclared } from 'postern/hono';
import { ALL_TARGETS, requirementOf } from './targets.js';

/** Is called by each handler with its principal. */
export type Reached = (principal: unknown) => void;

/** All targets as one fetch handler. Nothing here needs Node: workerd runs it, too. */
export function fetchApp<Rest extends readonly unknown[]>(
  postern: Postern,
  reached: Reached,
  zone: (...call: FetchCall<Rest>) => Zone,
): (...call: FetchCall<Rest>) => Promise<Response> {
  const handlers = byPath((requirement) =>
    guard<TokenTypes, Rest>(
      postern as unknown as Postern<TokenTypes>,
      requirement,
      (_request: Request, { principal }: GuardContext, ..._rest: Rest) => {
        reached(principal);
        return new Response('reached');
      },
      { zone },
    ),
  );
  return async (...call) =>
    handlers.get(new URL(call[0].url).pathname)?.(...call) ?? new Response(null, { status: 404 });
}

/** All targets as a Hono application. */
export function honoApp(postern: Postern, reached: Reached, zone: (context: Context) => Zone): Hono {
  const app = new Hono();
  app.use(refuseUndeclared());
  for (const target of ALL_TARGETS) {
    const requirement = requirementOf(target);
    if (requirement !== undefined) app.use(`/${target}`, honoGuard(postern, requirement as Requirement, { zone }));
    app.on(['GET', 'POST'], `/${target}`, (c) => {
      reached(c.get('principal'));
      return c.text('reached');
    });
  }
  return app;
}

/** What is made for each target, by its path. */
export function byPath<Handler>(make: (requirement: Requirement) => Handler): Map<string, Handler> {
  return new Map(
    ALL_TARGETS.map((target) => [`/${target}`, make((requirementOf(target) ?? (() => undefined)) as Requirement)]),
  );
}
