// Closes forgotten selectors and engines: the native half is destroyed some time after the garbage
// collector has collected the other one.

import { native } from "./native.ts";

const collected = new FinalizationRegistry<number>((id) => native.destroy(id));

export function destroyWhenCollected(selector: object, id: number): void {
  collected.register(selector, id, selector);
}

const engines = new FinalizationRegistry<number>((id) => native.engineDestroy(id));

export function destroyEngineWhenCollected(engine: object, id: number): void {
  engines.register(engine, id);
}

/** The selector has been closed: its id may be another one's by the time it is collected. */
export function closedMeanwhile(selector: object): void {
  collected.unregister(selector);
}
