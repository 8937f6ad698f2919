import type { ComponentChildren, Ref } from 'preact';

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'plain' | 'danger' | 'danger-plain' | 'link';
  readonly submit?: boolean;
  /** The name for screen readers, if the text alone does not say which thing it is about. */
  readonly label?: string;
  /** It can be focused, says that it is disabled, and does nothing. */
  readonly off?: boolean;
  /** Whether it has the focus when its dialog opens. */
  readonly first?: boolean | undefined;
  readonly buttonRef?: Ref<HTMLButtonElement> | undefined;
  readonly onClick?: () => void;
}

export function Button({ children, kind, submit, label, off, first, buttonRef, onClick }: ButtonProps) {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={kind === undefined ? 'button' : `button ${kind}`}
      aria-label={label}
      aria-disabled={off ? 'true' : undefined}
      data-first={first ? '' : undefined}
      ref={buttonRef ?? null}
      onClick={(event) => {
        if (!off) onClick?.();
        else event.preventDefault();
      }}
    >
      {children}
    </button>
  );
}
