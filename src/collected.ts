// Closes forgotten selectors: the native half is destroyed some time after the garbage collector
// has collected the selector.

import { native } from "./native.ts";

const collected = new FinalizationRegistry<number>((id) => native.destroy(id));

export function destroyWhenCollected(selector: object, id: number): void {
  collected.register(selector, id, selector);
}

/** The selector has been closed: its id may be another one's by the time it is collected. */
export function closedMeanwhile(selector: object): void {
  collected.unregister(selector);
}
