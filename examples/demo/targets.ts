/** What the demo's callers ask for, and the name that it has in each protocol. All servers serve the same. */
export type Target = 'summarizer' | 'status' | 'metrics' | 'translator' | 'read models' | 'write models';

interface Names {
  /** As the table shows it. */
  readonly label: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly grpc: string;
}

export const TARGETS: Readonly<Record<Target, Names>> = {
  summarizer: deployment('summarizer', '/bento.Summarizer/Summarize'),
  status: deployment('status', '/bento.Status/Check'),
  metrics: deployment('metrics', '/bento.Metrics/Read'),
  /** Served, but never registered with postern. */
  translator: deployment('translator', '/bento.Translator/Translate'),
  'read models': { label: 'read models', method: 'GET', path: '/api/v1/models', grpc: '/bento.Models/List' },
  'write models': { label: 'write models', method: 'POST', path: '/api/v1/models', grpc: '/bento.Models/Create' },
};

/** What is sent with a call; the summarizer's is that of the tutorial. */
export const PAYLOAD = { prompt: 'What state is Los Angeles in?', max_length: 100 };
export const MODEL = { name: 'llama', version: '1' };

export function payloadOf(target: Target): object {
  return target === 'write models' ? MODEL : PAYLOAD;
}

function deployment(id: string, grpc: string): Names {
  return { label: `call ${id}`, method: 'POST', path: `/d/${id}`, grpc };
}
