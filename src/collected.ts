// Closes selectors that were forgotten: some time after the engine has collected one, its native
// half is destroyed.

import { native } from "./native.ts";

const collected = new FinalizationRegistry<number>((id) => native.destroy(id));

export function destroyWhenCollected(selector: object, id: number): void {
  collected.register(selector, id, selector);
}

/** The selector has been closed: its id may be another one's by the time it is collected. */
export function closedMeanwhile(selector: object): void {
  collected.unregister(selector);
}
