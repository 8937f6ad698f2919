import type { Ended } from './command.js';

/** What a command has written so far. */
export class Written {
  readonly text = { stdout: '', stderr: '' };
  readonly #readers = new Set<() => void>();

  add(stream: 'stdout' | 'stderr', text: string): void {
    this.text[stream] += text;
    for (const read of this.#readers) read();
  }

  /** Resolves once a stream matches, and rejects if the command ends before. */
  until(pattern: RegExp, stream: 'stdout' | 'stderr', ended: Promise<Ended>): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const read = () => {
        const match = pattern.exec(this.text[stream]);
        if (match === null) return;
        this.#readers.delete(read);
        resolve(match);
      };
      this.#readers.add(read);
      read();
      void ended.then(() =>
        reject(new Error(`it ended without ${pattern}:\n${this.text.stdout}\n${this.text.stderr}`)),
      );
    });
  }
}
