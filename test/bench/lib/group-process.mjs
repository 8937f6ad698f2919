/** One group in a process of its own: what another group did to the heap and to the compiler is not part of it. */
import { serve } from './child.mjs';

// By way of `exit`, so that temporary directories go with it.
process.on('SIGINT', () => process.exit(130));

serve(null, async ({ group, settings }) => {
  const { run } = await import(`../groups/${group}.mjs`);
  const progress = (text) => process.stderr.write(`  ${group}: ${text}\n`);
  return run({ ...settings, progress });
});
