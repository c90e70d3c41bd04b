// SelectorMap: the live, read-only view of a selector's keys that getMap() returns.

import type { FileLike, ReadonlySelectorMap, SelectorKey } from "./selector.ts";

export class SelectorMap<T> implements ReadonlySelectorMap<T> {
  readonly #keys: readonly (SelectorKey<T> | undefined)[];
  readonly #size: () => number;
  readonly #find: (file: FileLike) => SelectorKey<T> | undefined;

  constructor(
    keys: readonly (SelectorKey<T> | undefined)[],
    size: () => number,
    find: (file: FileLike) => SelectorKey<T> | undefined,
  ) {
    this.#keys = keys;
    this.#size = size;
    this.#find = find;
  }

  get size(): number {
    return this.#size();
  }

  has(file: FileLike): boolean {
    return this.#find(file) !== undefined;
  }

  get(file: FileLike): SelectorKey<T> | undefined {
    return this.#find(file);
  }

  *keys(): IterableIterator<number> {
    for (const key of this.values()) yield key.fd;
  }

  *values(): IterableIterator<SelectorKey<T>> {
    for (const key of this.#keys) if (key !== undefined) yield key;
  }

  *entries(): IterableIterator<[number, SelectorKey<T>]> {
    for (const key of this.values()) yield [key.fd, key];
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.keys();
  }
}
