// Slots: which connection an entry of an engine's ring belongs to. A slot is the number of a
// descriptor and is reused as soon as the descriptor is closed, so each entry also names a life.

import { ABANDONED } from "./connection-flags.ts";
import { flag } from "./connection-symbols.ts";
import type { EngineConnection } from "./engine-connection.ts";

const FIRST_LENGTH = 64;

export class Slots {
  /** By slot and dense: an array with holes turns into a dictionary. */
  readonly #connections: (EngineConnection | undefined)[] = [];
  /** By slot: the life that the program knows; 0 for none. */
  #lives = new Int32Array(FIRST_LENGTH);
  /** By life: connections whose slot had its next life before their end was dispatched. */
  readonly #replaced = new Map<number, EngineConnection>();
  /** Lives that have begun and not ended. */
  count = 0;

  lifeOf(slot: number): number {
    return this.#lives[slot] as number;
  }

  /** @param connection undefined for a listener. */
  begin(slot: number, life: number, connection?: EngineConnection): void {
    if (slot >= this.#lives.length) {
      const lives = new Int32Array(Math.max(slot + 1, Math.ceil(this.#lives.length * 1.5)));
      lives.set(this.#lives);
      this.#lives = lives;
    }
    for (let at = this.#connections.length; at <= slot; at++) this.#connections[at] = undefined;
    const before = this.#connections[slot];
    if (before !== undefined) {
      this.#replaced.set(this.lifeOf(slot), before);
      before[flag](ABANDONED);
    }
    this.#connections[slot] = connection;
    this.#lives[slot] = life;
    this.count++;
  }

  /** @returns undefined for a listener, and for a life that has ended. */
  find(slot: number, life: number): EngineConnection | undefined {
    return this.#lives[slot] === life ? this.#connections[slot] : this.#replaced.get(life);
  }

  /** Ends the life of a connection. @returns as find(). */
  end(slot: number, life: number): EngineConnection | undefined {
    const connection = this.find(slot, life);
    if (connection === undefined) return undefined;
    if (!this.#replaced.delete(life)) this.#forget(slot);
    this.count--;
    return connection;
  }

  endListener(slot: number, life: number): void {
    if (this.#lives[slot] === life) this.#forget(slot);
    this.count--;
  }

  /** Connections whose end was not dispatched. */
  *connections(): Generator<EngineConnection> {
    for (const connection of this.#connections) if (connection !== undefined) yield connection;
    yield* this.#replaced.values();
  }

  #forget(slot: number): void {
    this.#connections[slot] = undefined;
    this.#lives[slot] = 0;
  }
}
