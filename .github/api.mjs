/**
 * The API reference, made of the comments of every entry: `npm run docs:api` writes it to .tmp/api. An export without a summary, or a
 * link that leads nowhere, is an error. With `--check` nothing is written.
 */
import { Application, ReflectionKind } from 'typedoc';

const app = await Application.bootstrap({ options: '.github/typedoc.json' });
const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);

const hasSummary = ({ comment }) => comment !== undefined && comment.summary.length > 0;
for (const entry of project.children ?? []) {
  for (const exported of entry.children ?? []) {
    if (exported.kindOf(ReflectionKind.Reference)) continue;
    // A function has its comments on its signatures, and an overload may rely on another one.
    const commented = [exported, ...(exported.signatures ?? [])];
    if (!commented.some(hasSummary)) app.logger.error(`${exported.getFullName()} has no summary`);
  }
}
const isRight = !app.logger.hasErrors() && !app.logger.hasWarnings();
if (isRight && !process.argv.includes('--check')) await app.generateOutputs(project);
process.exitCode = isRight ? 0 : 1;
