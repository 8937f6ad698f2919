import { escapeInvisible } from '../../../domain/text.js';

export type Child = Node | string | number | null | undefined | false | readonly Child[];

type Attribute = string | number | boolean | null | undefined;
type Listeners = { readonly [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };
export interface Attributes {
  readonly [name: string]: Attribute | Listeners;
  readonly on?: Listeners;
}

/**
 * Makes an element. Text becomes text nodes, so markup can't be passed. Attributes: `true` sets an empty one; `false`, `null`
 * and `undefined` set none.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== 'object' || value === null) setAttribute(element, name, value);
  }
  for (const [event, listener] of Object.entries(attributes.on ?? {})) {
    element.addEventListener(event, listener as (event: Event) => void);
  }
  append(element, children);
  return element;
}

export function setAttribute(element: Element, name: string, value: Attribute): void {
  if (value === false || value == null) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

export function append(parent: Node, children: Child): void {
  if (children === null || children === undefined || children === false) return;
  if (isList(children)) for (const child of children) append(parent, child);
  else parent.appendChild(children instanceof Node ? children : document.createTextNode(String(children)));
}

export function replaceContent(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}

let counter = 0;

/** An id that no other element of this page has. */
export function uniqueId(prefix: string): string {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Text from someone else: isolated from the text direction around it, with invisible and reordering characters escaped. */
export function foreign(text: string, className = 'foreign'): HTMLElement {
  return h('bdi', { class: className }, escapeInvisible(text));
}

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  arch: 'M5 22V11a7 7 0 0 1 14 0v11h-5v-8a2 2 0 0 0-4 0v8z',
  more: 'M5 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zm7 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zm7 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z',
  close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
} as const;

/** A picture that is hidden from screen readers. Put its meaning beside it as text. */
export function icon(name: keyof typeof ICONS): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of [
    ['viewBox', '0 0 24 24'],
    ['aria-hidden', 'true'],
    ['class', `icon icon-${name}`],
  ] as const) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.appendChild(path);
  return svg;
}
