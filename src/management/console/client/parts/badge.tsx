import type { ComponentChildren } from 'preact';

/** The meaning of a color. Its word always stands beside it. */
export type Tone = 'active' | 'warning' | 'danger' | 'ended' | 'idle' | 'plain';

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
