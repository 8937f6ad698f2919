import { expect, test } from 'vitest';
import { privateField } from '../../src/base/private-field.js';

class Request {
  readonly path = '/';
}

test('a value belongs to one object and one field', () => {
  const [field, other] = [privateField<string>(), privateField<string>()];
  const request = new Request();
  field.set(request, 'first');
  field.set(request, 'second');
  expect(field.get(request)).toBe('second');
  expect(field.get(new Request())).toBeUndefined();
  expect(other.get(request)).toBeUndefined();
  expect(Reflect.ownKeys(request)).toEqual(['path']);
});

test('nothing that is made of an object has its value', () => {
  const field = privateField<string>();
  const request = new Request();
  field.set(request, 'value');
  const made = [
    { ...request },
    Object.assign(new Request(), request),
    Object.create(request, Object.getOwnPropertyDescriptors(request)),
    structuredClone(request),
    new Proxy(request, {}),
  ];
  expect(made.map((each) => field.get(each))).toEqual(made.map(() => undefined));
  field.set(Request.prototype, 'of the class');
  expect(field.get(new Request())).toBeUndefined();
});
