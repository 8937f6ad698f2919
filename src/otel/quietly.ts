import { diag } from '@opentelemetry/api';

/** Telemetry that fails changes nothing else. Its error goes to OpenTelemetry's own log. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    try {
      diag.error('postern/otel', error);
    } catch {}
    return undefined;
  }
}
