import { setTimeout as pause } from 'node:timers/promises';
import express, { type Request, type Response } from 'express';
import type { Denied } from 'postern';
import { type AnswerOptions, answerTo } from 'postern/http';
import { requirementOf } from './requirement.js';

/** A stranger chooses what this costs: only a small body is read, and not for long. */
const readBody = express.json({ limit: '16kb' });
const MOST_MILLISECONDS = 1_000;

/** Refuses a caller without a valid token. The challenge names the scope of the tool that is called, so that the client can ask for it. */
export function refuseWithScope(options: Pick<AnswerOptions, 'resourceMetadata'>) {
  return async (denial: Denied, request: Request, response: Response): Promise<void> => {
    const isRead = new Promise((resolve) => readBody(request, response, resolve));
    await Promise.race([isRead, pause(MOST_MILLISECONDS, undefined, { ref: false })]);
    const requirement = requirementOf(request.method, request.body);
    // The guard sends its own answer.
    if (requirement === null) return;
    const { status, headers, body } = answerTo(denial, { ...options, requirement });
    response.status(status).set(headers).send(body);
  };
}
