import type { ComponentChildren } from 'preact';
import { de } from './messages/de.js';
import { en, type MessageKey, type Messages } from './messages/en.js';
import { ja } from './messages/ja.js';

/** The languages of the console, each with its own name for itself. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', ja: '日本語' } as const;
export type Language = keyof typeof LANGUAGES;

const TABLES: Readonly<Record<Language, Messages>> = { en, de, ja };
/** British dates: the day before the month, as in most of the world. */
const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de', ja: 'ja' };
const KEPT = 'postern.language';

export const language: Language = chosen();
export const locale: string = LOCALES[language];
const messages = TABLES[language];
const plural = new Intl.PluralRules(locale);
const digits = new Intl.NumberFormat(locale);

/** The person's choice on this computer, or the first language of the browser that the console has. */
function chosen(): Language {
  const wanted = [kept(), ...navigator.languages.map((each) => each.slice(0, 2).toLowerCase())];
  return wanted.find((each): each is Language => each !== null && Object.hasOwn(LANGUAGES, each)) ?? 'en';
}

/** Keeps the choice, and shows the page in that language. */
export function choose(next: Language): void {
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // Without storage the choice can't be kept.
  }
  location.reload();
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export type Values = Readonly<Record<string, string | number>>;

/** A text of the table in the person's language. */
export function t(key: MessageKey, values: Values = {}): string {
  return split(key, values)
    .map((part) => (typeof part === 'string' ? part : inText(values[part.name])))
    .join('');
}

/** A text with elements in place of some values. */
export function tx(key: MessageKey, values: Readonly<Record<string, ComponentChildren>>): ComponentChildren {
  return split(key, values).map((part) => {
    if (typeof part === 'string') return part;
    const value = values[part.name];
    return typeof value === 'number' ? inText(value) : value;
  });
}

type Part = string | { readonly name: string };

function split(key: MessageKey, values: Readonly<Record<string, unknown>>): Part[] {
  const [one = '', many = one] = messages[key].split('|');
  const form = typeof values.count === 'number' && plural.select(values.count) === 'one' ? one : many;
  return form.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? { name: part.slice(1, -1) } : part));
}

function inText(value: string | number | undefined): string {
  return typeof value === 'number' ? digits.format(value) : (value ?? '');
}
