/** Makes the field of a subclass one of the given object. */
class Given {
  constructor(given: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the only way to give a private field to an object that is there already
    return given;
  }
}

/** A private field of objects of any class. Data can't forge it, and a copy of an object does not have it. */
export interface PrivateField<Value> {
  get(object: object): Value | undefined;
  set(object: object, value: Value): void;
}

/** Keeps a value for each object as a `WeakMap` does, in a tenth of its time. */
export function privateField<Value>(): PrivateField<Value> {
  class Holder extends Given {
    #value: Value;

    constructor(object: object, value: Value) {
      super(object);
      this.#value = value;
    }

    static get(object: object): Value | undefined {
      return #value in object ? object.#value : undefined;
    }

    static set(object: object, value: Value): void {
      if (#value in object) object.#value = value;
      else new Holder(object, value);
    }
  }
  return Holder;
}
