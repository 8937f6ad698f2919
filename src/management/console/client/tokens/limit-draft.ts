import type { Token } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { inLife, listed } from '../words.js';

/** A limit as a person types it. */
export interface LimitDraft {
  readonly on: boolean;
  /** The calls that it allows. */
  readonly points: string;
  /** The length of its window, in `unit`: `30`. */
  readonly length: string;
  /** `d` */
  readonly unit: string;
}

type Limited = Pick<Token, 'rate_limit' | 'quota'>;

export const NO_LIMITS: Limited = { rate_limit: null, quota: null };

export const rateDraft = ({ rate_limit: rate }: Limited): LimitDraft =>
  draftFrom(rate !== null, rate?.points ?? 60, rate?.duration ?? '1m');

export const quotaDraft = ({ quota }: Limited): LimitDraft =>
  draftFrom(quota !== null, quota?.points ?? 10_000, quota?.refill ?? '30d');

function draftFrom(on: boolean, points: number, time: string): LimitDraft {
  const [, length = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(time) ?? [];
  return { on, points: String(points), length, unit };
}

/** The limits of two drafts, without those that have an error. */
export function limitsOf(rate: LimitDraft, quota: LimitDraft): Limited {
  return {
    rate_limit: isLimit(rate) ? { points: Number(rate.points), duration: timeOf(rate) } : null,
    quota: isLimit(quota) ? { points: Number(quota.points), refill: timeOf(quota) } : null,
  };
}

const isLimit = (draft: LimitDraft) => draft.on && wrongIn(draft) === null;
const timeOf = ({ length, unit }: LimitDraft) => `${Number(length)}${unit}`;

/** The part that is wrong. */
export function wrongIn({ on, points, length }: LimitDraft): 'points' | 'length' | null {
  if (!on) return null;
  if (!isWhole(points, 1e9)) return 'points';
  return isWhole(length, 1e6) ? null : 'length';
}

function isWhole(text: string, most: number): boolean {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : 0;
  return count >= 1 && count <= most;
}

export function limitError(draft: LimitDraft): string | undefined {
  const wrong = wrongIn(draft);
  if (wrong === null) return undefined;
  return t(wrong === 'points' ? 'form.limitPointsWrong' : 'form.limitLengthWrong');
}

/** `It may make at most 60 calls in 1 minute and 10,000 calls in 30 days.` Empty without limits. */
export function limitSentence({ rate_limit: rate, quota }: Limited): string {
  const calls = (count: number, time: string) => t('can.calls', { count, time: inLife(time) });
  const limits = [
    ...(rate === null ? [] : [calls(rate.points, rate.duration)]),
    ...(quota === null ? [] : [calls(quota.points, quota.refill)]),
  ];
  return limits.length === 0 ? '' : t('can.most', { limits: listed(limits) });
}
