// Selectors that nobody can reach any more and nobody has closed. Enters: each selector as it is
// made. Leaves: its native half, destroyed some time after the engine has collected it.

import { native } from "./native.ts";

// Silent where it has been closed: an id is not given out twice.
const collected = new FinalizationRegistry<number>((id) => native.destroy(id));

export function destroyWhenCollected(selector: object, id: number): void {
  collected.register(selector, id);
}
