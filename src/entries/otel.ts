export { type Instrumentation, type InstrumentOptions, instrument } from '../otel/instrument.js';
