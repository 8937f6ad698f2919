/** One metric, as it is made and as the documentation shows it. */
interface Metric {
  readonly kind: 'counter' | 'histogram' | 'upDownCounter' | 'gauge';
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
  /** The upper bounds of the buckets, if a view of the application sets no others. */
  readonly buckets?: readonly number[];
}

/** The attributes of the metrics. Each has few values: no id, and no name that a caller or a user chose. */
export const ATTRIBUTES = {
  'postern.transport': 'the entry whose guard asked (`express`, `grpc`, …); `direct`: the application itself',
  'postern.decision.outcome': '`allowed`, `denied` or `fault`',
  'postern.decision.reason': 'why it was not allowed: a code of the table of reasons',
  'postern.verification.path': '`warm`: everything was in memory. `cold`: something was waited for',
  'postern.cache.name': '`token` or `endpoint`',
  'postern.cache.request.type': '`hit` or `miss`',
  'postern.store.operation': 'a method of `Store`, such as `findTokenByDigest`',
  'postern.limiter.outcome': '`charged`, `refused` or `fault`',
  'postern.fault.during': '`decision`, `usage`, `feed`, `limiter`, `issuer`, …: the `during` of the event',
  'postern.reader.answer': '`replica`; or why the primary was read: `absent`, `changed`, `behind`, `failed`, `unused`',
  'postern.hop.origin': '`signed`, or `reused`: signed for an equal call before',
  'error.type': 'only of a call that failed: the code of the `PosternError`',
} as const;

export type Attribute = keyof typeof ATTRIBUTES;

const MICROSECONDS = [0.00001, 0.00005, 0.0001, 0.0005];
/** Seconds, as the semantic conventions advise for database clients. */
const MILLISECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export const METRICS = {
  'postern.decisions': {
    kind: 'counter',
    unit: '{decision}',
    description: 'Decisions, with those that ended an open stream.',
    attributes: ['postern.transport', 'postern.decision.outcome', 'postern.decision.reason'],
  },
  'postern.verification.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time from the question to the decision.',
    attributes: ['postern.verification.path'],
    buckets: [...MICROSECONDS, ...MILLISECONDS],
  },
  'postern.cache.requests': {
    kind: 'counter',
    unit: '{request}',
    description: 'Tokens and endpoints that a decision needed, found in memory or not.',
    attributes: ['postern.cache.name', 'postern.cache.request.type'],
  },
  'postern.store.operation.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time of a call of the store.',
    attributes: ['postern.store.operation', 'error.type'],
    buckets: MILLISECONDS,
  },
  'postern.limiter.charge.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'Time in which the limits of a token were charged.',
    attributes: ['postern.limiter.outcome'],
    buckets: MILLISECONDS,
  },
  'postern.feed.lag': {
    kind: 'histogram',
    unit: 's',
    description: 'Time from the change of another process to its arrival here, by the clocks of both.',
    attributes: [],
    buckets: MILLISECONDS,
  },
  'postern.feed.connected': {
    kind: 'gauge',
    unit: '',
    description: '1 while the feed of the store works, 0 while it is lost. Without a value: it was never found.',
    attributes: [],
  },
  'postern.reader.lag': {
    kind: 'gauge',
    unit: 's',
    description:
      "The last answer of the store's replica was at most so old. Without a value: there is none, or it has shown nothing yet.",
    attributes: [],
  },
  'postern.reader.reads': {
    kind: 'counter',
    unit: '{read}',
    description: 'Reads of verification in a store with a replica.',
    attributes: ['postern.reader.answer'],
  },
  'postern.lease.count': {
    kind: 'upDownCounter',
    unit: '{lease}',
    description: 'Open streams whose decision is kept up to date.',
    attributes: [],
  },
  'postern.hops': {
    kind: 'counter',
    unit: '{hop}',
    description: 'Signed identities that were handed to services behind.',
    attributes: ['postern.hop.origin'],
  },
  'postern.faults': {
    kind: 'counter',
    unit: '{fault}',
    description: 'Faults, as `onEvent` gets them.',
    attributes: ['postern.fault.during'],
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
