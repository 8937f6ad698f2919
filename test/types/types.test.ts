import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** The projects differ in nothing that parsing depends on. */
const files = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of a project's own files, or of all. An unused `@ts-expect-error` is an error, too. */
function diagnosticsOf(project: string, ofAll: boolean): string {
  const path = fileURLToPath(new URL(project, import.meta.url));
  const fail = (diagnostic: ts.Diagnostic) => {
    throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
  };
  const parsed = ts.getParsedCommandLineOfConfigFile(
    path,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  if (parsed === undefined) throw new Error(`${path} can not be read`);
  const host = ts.createCompilerHost(parsed.options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...rest) => {
    if (!files.has(file)) files.set(file, read(file, ...rest));
    return files.get(file);
  };
  const program = ts.createProgram(parsed.fileNames, parsed.options, host);
  const own = parsed.fileNames.map((file) => program.getSourceFile(file));
  const found = [
    ...parsed.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...(ofAll ? program.getSemanticDiagnostics() : own.flatMap((file) => [...program.getSemanticDiagnostics(file)])),
  ];
  return ts.formatDiagnostics(found, host);
}

test.each([
  ['what must compile does, and what must not does not', './tsconfig.json'],
  ['a registered instance is known to the types that frameworks share', './.registered/tsconfig.json'],
  ['an application with a principal of its own on its requests compiles', './.own-principal/tsconfig.json'],
])('%s', (_, project) => {
  expect(diagnosticsOf(project, false)).toBe('');
});

test('the core touches neither Node nor a browser', () => {
  expect(diagnosticsOf('./tsconfig.core.json', true)).toBe('');
});
