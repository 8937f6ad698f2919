import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, type ContextManager, context, ROOT_CONTEXT } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** One series: its attributes, and its value; of a histogram, the number of its values. */
export interface Series {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

export interface Telemetry {
  /** For `instrument`. */
  readonly providers: { readonly meterProvider: MeterProvider; readonly tracerProvider: BasicTracerProvider };
  /** All series of now. */
  series(): Promise<readonly Series[]>;
  /** The sum of the series of a metric that have these attributes. */
  value(name: string, attributes?: Readonly<Record<string, unknown>>): Promise<number>;
  /** Everything that an exporter gets, as text. */
  exported(): Promise<string>;
  spans(): readonly ReadableSpan[];
}

/** The SDK of OpenTelemetry, in memory. */
export function telemetry(): Telemetry {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 1e9 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spanExporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });

  async function collected() {
    metricExporter.reset();
    await meterProvider.forceFlush();
    return metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  }

  async function series(): Promise<readonly Series[]> {
    const all: Series[] = [];
    for (const metric of await collected()) {
      const { name } = metric.descriptor;
      if (metric.dataPointType === DataPointType.HISTOGRAM) {
        for (const { attributes, value } of metric.dataPoints) all.push({ name, attributes, value: value.count });
      } else if (metric.dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) {
        for (const { attributes, value } of metric.dataPoints) all.push({ name, attributes, value });
      }
    }
    return all;
  }

  return {
    providers: { meterProvider, tracerProvider },
    series,
    async value(name, attributes = {}) {
      const found = (await series()).filter(
        (each) =>
          each.name === name && Object.entries(attributes).every(([key, value]) => each.attributes[key] === value),
      );
      return found.reduce((sum, each) => sum + each.value, 0);
    },
    async exported() {
      const spans = spanExporter.getFinishedSpans().map(({ name, attributes, status, events }) => {
        return { name, attributes, status, events };
      });
      return JSON.stringify([await collected(), spans]);
    },
    spans: () => spanExporter.getFinishedSpans(),
  };
}

/** Makes the active span follow promises, as the SDK for Node does. Returns a function that ends this. */
export function followContext(): () => void {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...args) => storage.run(active, () => work.apply(self as never, args)),
    bind: (_active, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  context.setGlobalContextManager(manager);
  return () => context.disable();
}
