import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { contrast, readable } from '../../../src/management/console/client/color.js';
import { de } from '../../../src/management/console/client/messages/de.js';
import { en } from '../../../src/management/console/client/messages/en.js';
import { ja } from '../../../src/management/console/client/messages/ja.js';

const CLIENT = fileURLToPath(new URL('../../../src/management/console/client', import.meta.url));

const valuesIn = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

describe('the texts of the console', () => {
  it.each([
    ['de', de],
    ['ja', ja],
  ])('in %s name the same values as in English', (_, messages) => {
    const other = Object.entries(en).filter(
      ([key, text]) => `${valuesIn(messages[key as keyof typeof en])}` !== `${valuesIn(text)}`,
    );
    expect(other).toEqual([]);
  });

  it('are all in use, and no text stands outside of them', () => {
    const files = readdirSync(CLIENT, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
    const source = files
      .filter((file) => !file.startsWith('messages'))
      .map((file) => readFileSync(`${CLIENT}/${file}`, 'utf8'))
      .join('\n');
    /** `t(`status.${state}`)` uses every key that begins so. */
    const beginnings = [...source.matchAll(/`([\w.]+\.)\$\{/g)].map(([, start]) => start as string);
    const unused = Object.keys(en).filter(
      (key) => !source.includes(`'${key}'`) && !beginnings.some((start) => key.startsWith(start)),
    );
    expect(unused).toEqual([]);
    // Words between tags are texts for people.
    expect(source.match(/>\s*[A-Z][a-z]+ [a-z]+[^<>{}()=;]*</g)).toBeNull();
  });
});

it('any color becomes readable, and one that is readable stays', () => {
  for (const color of [
    [255, 213, 0],
    [255, 255, 255],
    [0, 0, 0],
    [128, 128, 128],
  ] as const) {
    expect(contrast(readable(color, [242, 243, 241], [0, 0, 0]), [242, 243, 241])).toBeGreaterThanOrEqual(4.5);
    expect(contrast(readable(color, [38, 43, 41], [255, 255, 255]), [38, 43, 41])).toBeGreaterThanOrEqual(4.5);
  }
  expect(readable([0, 0, 139], [255, 255, 255], [0, 0, 0])).toEqual([0, 0, 139]);
});
