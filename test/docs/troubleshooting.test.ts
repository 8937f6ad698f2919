import { Metadata, status } from '@grpc/grpc-js';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { denied } from '../../src/domain/decision.js';
import { STATUSES } from '../../src/management/http/statuses.js';
import { grpcAnswers } from '../../src/transports/grpc/grpc-status.js';
import { httpAnswers } from '../../src/transports/http-answer.js';
import { ROOT, readPage } from './pages.js';

const PAGE = 'docs/troubleshooting.md';

/** The members of a union of texts in a source file. */
function membersOf(file: string, type: string): string[] {
  const source = ts.createSourceFile(file, readPage(file), ts.ScriptTarget.Latest);
  const found = source.statements.find((each) => ts.isTypeAliasDeclaration(each) && each.name.text === type);
  if (found === undefined) throw new Error(`${ROOT}${file} has no ${type}`);
  return [...found.getText(source).matchAll(/'(\w+)'/g)].map(([, member = '']) => member).toSorted();
}

/** The rows of the table below a heading: its code in the first cell, and the other cells. */
function rowsBelow(heading: string): { code: string; cells: string[] }[] {
  const [, section = ''] = readPage(PAGE).split(`# ${heading}\n`);
  const [own = ''] = section.split(/^#/m);
  return [...own.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, code = '', rest = '']) => ({
    code,
    cells: rest.split('|').map((cell) => cell.trim()),
  }));
}

const reasons = rowsBelow('Reasons');
const codes = rowsBelow('Error codes');
const own = rowsBelow('Codes of the management API alone');
const namesOf = (rows: { code: string }[]) => rows.map(({ code }) => code).toSorted();

describe('the page has each of them once, and no other', () => {
  it('reasons', () => expect(namesOf(reasons)).toEqual(membersOf('src/domain/decision.ts', 'DenialReason')));
  it('error codes', () => expect(namesOf(codes)).toEqual(membersOf('src/domain/errors.ts', 'PosternErrorCode')));
  it('codes of management', () =>
    expect(namesOf(own)).toEqual(membersOf('src/management/http/statuses.ts', 'OwnCode')));
});

it.each(codes)('the status of $code is right', ({ code, cells }) => {
  expect(cells[0]).toBe(String(STATUSES[code as keyof typeof STATUSES]));
});

it.each(own)('$code is answered with its status somewhere in management', ({ code, cells }) => {
  const used = ts.sys
    .readDirectory(`${ROOT}src/management`, ['.ts'], ['**/console/**'])
    .map((file) => ts.sys.readFile(file) ?? '')
    .join('\n');
  // The answer of a guard.
  if (code === 'token_malformed') return expect(cells[0]).toBe(String(httpAnswers()(denied(code)).status));
  const statuses = [...used.matchAll(/(?:Problem\(\s*(\d{3}),|(unauthorized)\()\s*'(\w+)'/g)]
    .filter(([, , , named]) => named === code)
    .map(([, given, unauthorized]) => given ?? (unauthorized && '401'));
  expect([...new Set(statuses)]).toEqual([cells[0]]);
});

it.each(reasons)('the statuses of $code are right', ({ code, cells }) => {
  const denial = denied(code as Parameters<typeof denied>[0]);
  const call = { path: '/', metadata: new Metadata() } as Parameters<ReturnType<typeof grpcAnswers>>[1];
  const told = grpcAnswers(undefined, () => {})(denial, call).code;
  expect(cells.slice(0, 2)).toEqual([String(httpAnswers()(denial).status), status[told]]);
});

describe('the table of reasons in docs/contract.md', () => {
  const rows = [...readPage('docs/contract.md').matchAll(/^\| (`\w+`.*?) \| (\d{3}) \|.* (\w+) \|$/gm)].flatMap(
    // An explanation in brackets may name other reasons.
    ([, names = '', ...answers]) =>
      [...names.replace(/\(.*\)/, '').matchAll(/`(\w+)`/g)].map(([, code = '']) => ({ code, answers })),
  );

  it('has the same answers as this page', () => {
    const here = reasons.map(({ code, cells }) => [code, cells.slice(0, 2)]);
    expect(Object.fromEntries(rows.map(({ code, answers }) => [code, answers]))).toEqual(Object.fromEntries(here));
  });
});
