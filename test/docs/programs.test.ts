import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './pages.js';
import { PROGRAMS, type Program } from './programs.js';

/** Inside of the repository, so that its packages and its `tsconfig.json` are found. */
const FOLDER = `${ROOT}.tmp/docs-programs/`;
const fileOf = ({ name }: Program) => `${FOLDER}${name.replaceAll(/[^\w]+/g, '-')}.ts`;
const runnableOf = (program: Program) => fileOf(program).replace(/ts$/, 'js');
const HIDDEN_NAMES = "import { expect } from 'vitest';\nimport * as docs from '../../test/docs/given.js';\n";
const LINES_BEFORE = HIDDEN_NAMES.split('\n').length - 1;

const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const program of PROGRAMS) {
    const code = HIDDEN_NAMES + program.code;
    writeFileSync(fileOf(program), code);
    // Vite would ignore the decorators of a file that `tsconfig.json` does not include.
    writeFileSync(runnableOf(program), ts.transpileModule(code, { compilerOptions: options }).outputText);
  }
});
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** The complaints of the compiler about these programs, each with its place in the page. */
function complaints(programs: readonly Program[], host: ts.CompilerHost, options: ts.CompilerOptions): string[] {
  const compiled = ts.createProgram(programs.map(fileOf), options, host);
  return programs.flatMap((program) => {
    const source = compiled.getSourceFile(fileOf(program));
    const problems = [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)];
    return problems.map(({ messageText, start = 0 }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) - LINES_BEFORE;
      return `${program.place(line)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

it('every block of TypeScript compiles', () => {
  const loose = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(loose);
  // Libraries are parsed once for all programs.
  const parsed = new Map<string, ts.SourceFile | undefined>();
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...rest) => {
    if (!parsed.has(file)) parsed.set(file, parse(file, ...rest));
    return parsed.get(file);
  };
  const alone = PROGRAMS.filter(({ registers }) => registers);
  const together = PROGRAMS.filter(({ registers }) => !registers);
  expect([together, ...alone.map((each) => [each])].flatMap((each) => complaints(each, host, loose))).toEqual([]);
});

describe('every block of TypeScript runs', () => {
  it.each(PROGRAMS.filter(({ notRun }) => notRun === null))('$name', async (program) => {
    await import(/* @vite-ignore */ runnableOf(program));
  });

  it('or says why not', () => {
    const silent = PROGRAMS.filter(({ notRun }) => notRun !== null && !/\w+ \w+/.test(notRun));
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});
