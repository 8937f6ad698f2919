import type { Principal } from 'postern';

/** What stands behind the guards: toy deployments and a list of models. None of it knows of tokens. */
export interface Deployments {
  /** What a deployment answers; whom the guard let through is handed in. */
  run(id: string, caller: Caller): object;
  listModels(): object;
  createModel(body: unknown, caller: Caller): object;
}

/** `null`: no credential was needed. */
type Caller = Pick<Principal, 'owner'> | null | undefined;

const ANSWERS: ReadonlyMap<string, object> = new Map([
  ['summarizer', { text: 'Los Angeles is in California.' }],
  ['status', { status: 'up' }],
  ['metrics', { requests: 42 }],
  ['translator', { text: 'Bonjour' }],
]);

export function createDeployments(): Deployments {
  const models: object[] = [];
  return {
    run: (id, caller) => ({ deployment: id, calledBy: caller?.owner ?? null, ...ANSWERS.get(id) }),
    listModels: () => ({ models }),
    createModel(body, caller) {
      const { name } = (body ?? {}) as { name?: unknown };
      const model = { name: String(name), createdBy: caller?.owner ?? null };
      models.push(model);
      return model;
    },
  };
}
