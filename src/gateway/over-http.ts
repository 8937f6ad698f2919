import type { HttpAnswer } from '../transports/problem.js';
import { isProxyAt } from '../transports/zones.js';
import {
  type Answer,
  isGrpc,
  malformed,
  NOT_TRUSTED,
  type Refusal,
  type Refused,
  refused,
  rpcHeaders,
} from './answers.js';
import type { Decider } from './decider.js';
import { aliasesIn } from './identity.js';
import type { ReadGatewayOptions } from './options.js';
import { type Question, readCall } from './told.js';

/** Answers questions over HTTP, whatever form they came in. Never rejects. */
export interface OverHttp {
  answer(question: Question): Promise<HttpAnswer>;
  /** For an error page: by its types never an allow. */
  answerAgain(question: Question): Promise<HttpAnswer>;
}

export function overHttp(decider: Decider, { isProxy, source }: ReadGatewayOptions): OverHttp {
  async function judge<A extends Answer>(
    question: Question,
    decide: (...asked: Parameters<Decider['decide']>) => Promise<A>,
  ): Promise<A | Refused> {
    try {
      const { peer, headers } = question;
      if (!isProxyAt(peer, isProxy)) return refused(NOT_TRUSTED);
      if (aliasesIn(headers).length > 0) return refused(malformed('A header is named like one of ours.'));
      return await decide(readCall(question, source), peer);
    } catch (error) {
      return refused(decider.refuse(error));
    }
  }

  return {
    async answer(question) {
      const answer = await judge(question, decider.decide);
      return answer.allowed ? allowedAnswer(answer.headers) : deniedAnswer(answer.refusal, question);
    },
    async answerAgain(question) {
      const { refusal } = await judge(question, decider.decideAgain);
      return deniedAnswer(refusal, question);
    },
  };
}

function allowedAnswer(headers: Readonly<Record<string, string>>): HttpAnswer {
  // Proxies that keep answers (nginx `proxy_cache`) would let others in.
  return { status: 200, headers: { 'Cache-Control': 'no-store', 'Content-Length': '0', ...headers }, body: '' };
}

function deniedAnswer({ status, headers, body, rpc }: Refusal, question: Question): HttpAnswer {
  if (!isGrpc(question.headers)) return { status, headers, body };
  // Never 200, as gRPC has it: that would be an allow.
  const content = { 'Content-Type': 'application/grpc', 'Content-Length': '0' };
  return { status, headers: { ...headers, ...rpcHeaders(rpc), ...content }, body: '' };
}
