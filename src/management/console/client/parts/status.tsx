import { useEffect, useState } from 'preact/hooks';

/** Milliseconds that a message stays visible. Screen readers read it at once. */
const SHOWN_FOR = 6_000;

let show: (message: string) => void = () => {};

/** Shows a message and has screen readers read it. */
export function announce(message: string): void {
  show(message);
}

/** The region that shows the messages. Put it into the page once. */
export function StatusRegion() {
  const [message, setMessage] = useState({ text: '' });
  show = (text) => setMessage({ text });
  useEffect(() => {
    if (message.text === '') return;
    const timer = setTimeout(() => setMessage({ text: '' }), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [message]);
  return (
    <div class="status" role="status" aria-live="polite">
      {message.text !== '' && <p>{message.text}</p>}
    </div>
  );
}
