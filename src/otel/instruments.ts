import type { Counter, Histogram, Meter, MetricOptions, ObservableCallback } from '@opentelemetry/api';
import { type Attribute, METRICS, type MetricName } from './metrics.js';

type NamesOf<Kind> = { [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never }[MetricName];

type AttributesOf<Name extends MetricName> = { [A in (typeof METRICS)[Name]['attributes'][number]]?: string };

/** The instruments of a meter. An attribute that a metric does not have is a compile error. */
export class Instruments {
  readonly #meter: Meter;
  readonly #made = new Map<MetricName, Counter | Histogram>();
  readonly #stops: (() => void)[] = [];

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  count<Name extends NamesOf<'counter'>>(name: Name, attributes: AttributesOf<Name>): void {
    (this.#of(name) as Counter).add(1, attributes as Record<Attribute, string>);
  }

  /** @param milliseconds a clock that was set back makes it 0 */
  time<Name extends NamesOf<'histogram'>>(name: Name, milliseconds: number, attributes: AttributesOf<Name>): void {
    (this.#of(name) as Histogram).record(Math.max(0, milliseconds) / 1000, attributes as Record<Attribute, string>);
  }

  /** @param read asked at each collection; `null`: there is no value */
  watch(name: NamesOf<'upDownCounter' | 'gauge'>, read: () => number | null): void {
    const { kind } = METRICS[name];
    const options = optionsOf(name);
    const instrument =
      kind === 'gauge'
        ? this.#meter.createObservableGauge(name, options)
        : this.#meter.createObservableUpDownCounter(name, options);
    const callback: ObservableCallback = (result) => {
      const value = read();
      if (value !== null) result.observe(value);
    };
    instrument.addCallback(callback);
    this.#stops.push(() => instrument.removeCallback(callback));
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #of(name: NamesOf<'counter' | 'histogram'>): Counter | Histogram {
    let instrument = this.#made.get(name);
    if (instrument === undefined) {
      const { kind } = METRICS[name];
      instrument =
        kind === 'counter'
          ? this.#meter.createCounter(name, optionsOf(name))
          : this.#meter.createHistogram(name, optionsOf(name));
      this.#made.set(name, instrument);
    }
    return instrument;
  }
}

function optionsOf(name: MetricName): MetricOptions {
  const { unit, description, buckets } = METRICS[name] as { unit: string; description: string; buckets?: number[] };
  return { unit, description, ...(buckets && { advice: { explicitBucketBoundaries: [...buckets] } }) };
}
