import { type Attributes, context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { isPosternError } from '../domain/errors.js';
import { quietly } from './quietly.js';

/**
 * Does work inside a span, which is active meanwhile. The work is done once, and its outcome passed on, whatever fails around it.
 *
 * @param told describes the span by the result
 */
export async function inSpan<T>(
  tracer: Tracer,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  told: (span: Span, result: T) => void = () => {},
): Promise<T> {
  let begun: Promise<T> | undefined;
  const once = () => {
    begun ??= work();
    return begun;
  };
  const span = quietly(() => tracer.startSpan(name, { attributes }));
  if (span) quietly(() => context.with(trace.setSpan(context.active(), span), once));
  try {
    const result = await once();
    if (span) quietly(() => told(span, result));
    return result;
  } catch (error) {
    if (span) quietly(() => failed(span, errorType(error)));
    throw error;
  } finally {
    quietly(() => span?.end());
  }
}

/** The message stays out: it is the driver's, and may quote anything. */
export function failed(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', type);
}

/** `_OTHER` is the word of the semantic conventions for what has no name. */
export function errorType(error: unknown): string {
  return isPosternError(error) ? error.code : '_OTHER';
}
