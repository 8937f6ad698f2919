/** Runs commands that the parent process of a test sends, until `close`. Each answer is `{ value }` or `{ error }`. */
export function serveCommands(commands: Readonly<Record<string, (argument: never) => unknown>>): void {
  process.on('message', async ({ command, argument }: { command: string; argument: never }) => {
    try {
      process.send?.({ value: await commands[command]?.(argument) });
    } catch (error) {
      process.send?.({ error: String((error as { code?: string }).code ?? error) });
    }
    if (command === 'close') process.disconnect();
  });
}
