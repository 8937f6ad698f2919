import { readFile } from 'node:fs/promises';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { beforeAll, describe, expect, it } from 'vitest';
import { Instruments } from '../../src/otel/instruments.js';
import { ATTRIBUTES, METRICS, type MetricName } from '../../src/otel/metrics.js';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Metrics of ours that the dashboard leaves out. */
const NOT_SHOWN: readonly MetricName[] = [];

/** The names in Prometheus, as the exporter of OpenTelemetry writes them. */
const inPrometheus = new Map<MetricName, { readonly name: string; readonly type: string }>();

beforeAll(async () => {
  for (const [name, { kind }] of Object.entries(METRICS) as [MetricName, { kind: string }][]) {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 });
    const provider = new MeterProvider({ readers: [reader] });
    const instruments = new Instruments(provider.getMeter('postern'));
    if (kind === 'counter') instruments.count(name as 'postern.hops', {});
    else if (kind === 'histogram') instruments.time(name as 'postern.feed.lag', 1, {});
    else instruments.watch(name as 'postern.lease.count', () => 1);
    await provider.forceFlush();
    const [metrics] = exporter.getMetrics();
    if (metrics === undefined) throw new Error(`${name} was not exported`);
    const text = new PrometheusSerializer().serialize(metrics);
    const [, shown = '', type = ''] = [...text.matchAll(/^# TYPE (postern_\w+) (\w+)$/gm)][0] ?? [];
    inPrometheus.set(name, { name: shown, type });
    await provider.shutdown();
  }
});

const labelOf = (attribute: string) => attribute.replaceAll('.', '_');

/** The metrics of a query that do not exist, and its labels that none of its metrics has. */
function unknownIn(query: string): readonly string[] {
  const labels = new Set(['job', 'instance', 'le']);
  const unknown: string[] = [];
  for (const [asked] of query.matchAll(/\bpostern_\w+(?=[{,)]|$| [=>]|\[)/g)) {
    const plain = asked.replace(/_(bucket|count|sum)$/, '');
    const metric = [...inPrometheus].find(([, { name }]) => name === asked || name === plain)?.[0];
    if (metric === undefined) unknown.push(asked);
    else for (const attribute of METRICS[metric].attributes) labels.add(labelOf(attribute));
  }
  const matched = [...query.matchAll(/\{([^}]*)\}/g)].flatMap(([, text = '']) => text.split(','));
  const by = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, text = '']) => text.split(', '));
  const used = [...matched.map((each) => each.split(/[=!]/)[0] ?? ''), ...by];
  // The names of labels in `by (…)` are no metrics.
  return [...unknown, ...used].filter((each) => !labels.has(each));
}

describe('the dashboard', () => {
  async function queries(): Promise<readonly string[]> {
    const { panels, templating } = JSON.parse(await read('examples/observability/dashboard.json'));
    const exprs = panels.flatMap(({ targets }: { targets: { expr: string }[] }) => targets.map(({ expr }) => expr));
    return [...exprs, ...templating.list.map(({ query }: { query: { query?: string } }) => query?.query ?? '')];
  }

  it('asks for metrics that exist, and only by labels that they have', async () => {
    const all = await queries();
    expect(all.length).toBeGreaterThan(10);
    for (const query of all) expect([query, unknownIn(query)]).toEqual([query, []]);
  });

  it('shows every metric that is not listed as left out', async () => {
    const text = (await queries()).join('\n');
    const missing = [...inPrometheus].filter(
      ([, { name }]) => !new RegExp(`\\b${name}(_bucket|_count|_sum)?\\b`).test(text),
    );
    expect(missing.map(([metric]) => metric)).toEqual(NOT_SHOWN);
  });
});

describe('docs/observability.md', () => {
  it('has a row for each metric, and for each attribute', async () => {
    const page = await read('docs/observability.md');
    const metrics = (Object.keys(METRICS) as MetricName[]).map((name) => {
      const { unit, description, attributes } = METRICS[name];
      const labels = attributes.map((each) => `\`${each}\``).join(', ');
      const { name: prometheus, type } = inPrometheus.get(name) ?? {};
      return row(`\`${name}\``, `\`${prometheus}\``, type ?? '', unit && `\`${unit}\``, description, labels);
    });
    const attributes = Object.entries(ATTRIBUTES).map(([name, meaning]) => row(`\`${name}\``, meaning));
    const rows = page.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
    expect([...metrics, ...attributes].filter((each) => !rows.includes(each))).toEqual([]);
    expect(page.match(/^\| `(postern|error)\./gm)).toHaveLength(metrics.length + attributes.length);
  });

  it('gives alerts on metrics and labels that exist', async () => {
    const [, alerts = ''] = (await read('docs/observability.md')).split('## Alerts');
    const queries = [...alerts.matchAll(/`([^`]*postern_[^`]*)`/g)].map(([, query = '']) => query);
    expect(queries.length).toBeGreaterThan(5);
    for (const query of queries.filter((each) => !each.startsWith('postern_fault_'))) {
      expect([query, unknownIn(query)]).toEqual([query, []]);
    }
  });
});

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`.replaceAll(/ +/g, ' ');
}
