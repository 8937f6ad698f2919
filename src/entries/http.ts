export {
  type AnswerOptions,
  answerTo,
  type CredentialOptions,
  type HeadersLike,
  type HttpCredential,
  readCredential,
} from '../transports/http.js';
export type { HttpAnswer } from '../transports/problem.js';
