// One sequence on one backend: each operation is applied to real descriptors, to the Selector and
// to the model, and the results must agree.

import {
  EVENT_READ,
  EVENT_WRITE,
  FLAG_ERROR,
  type Selector,
  type SelectorKey,
} from "../../src/index.ts";
import type { Operation } from "./operations.ts";
import { RULES } from "./rules.ts";
import { type Mode, SelectorModel, type Wanted } from "./selector-model.ts";
import { World } from "./world.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** Mostly level; the others where the backend has them. */
const MODES: readonly (readonly [Mode, boolean])[] = [
  ["oneshot", false],
  ["oneshot", false],
  ["edge", false],
  ["edge", true],
  ["level", true],
  ...Array<readonly [Mode, boolean]>(11).fill(["level", false]),
];

/**
 * What one operation answered, by number's place among all that came up. `ruled`: not to be
 * compared, since a rule of the backend made it.
 */
export interface Answer {
  readonly values: ReadonlyMap<number, string>;
  readonly ruled: ReadonlySet<number> | "all";
}

/** The place of the open descriptors themselves. */
export const NUMBERS = -1;

/** Selector.select in src/selector.ts; kLooksInRow in native/addon/wait_calls.cc. */
const LOOKS_IN_ROW = 256;

const NOTHING: Answer = { values: new Map(), ruled: new Set() };

/** One ready event of the last wait. */
interface BatchEntry {
  readonly number: number;
  /** Its key, as long as the registration lasts that it was reported for. */
  key: SelectorKey<number> | undefined;
  events: number;
  readonly flags: number;
}

export class Run {
  readonly #world = new World();
  readonly #selector: Selector<number>;
  readonly #model: SelectorModel;
  /** What the last wait brought: it is read again after each operation until the next wait. */
  #batch: BatchEntry[] = [];
  #index = 0;
  #foundInRow = 0;
  /** What was done, to explain a failure. */
  readonly log: string[] = [];

  constructor(make: () => Selector<number>) {
    this.#selector = make();
    const { backend, capabilities } = this.#selector;
    this.#model = new SelectorModel(RULES[backend], capabilities, this.#world.fileOf);
  }

  /** @throws {Error} where the Selector did something else than the model. */
  step(operation: Operation): Answer {
    this.#index++;
    this.log.push(operation.name);
    const answer = this.#do(operation);
    this.#readBatch();
    return answer;
  }

  #do(operation: Operation): Answer {
    const { name, a, b, c } = operation;
    switch (name) {
      case "register":
      case "modify":
      case "unregister":
        return this.#call(operation);
      case "look":
        return this.#look();
      case "select":
        return this.#select();
      case "close":
        return this.#close(a, c % 4 > 0);
      default: {
        const tellModel = this.#model.watchFiles();
        this.#note(this.#world[name](a, 1 + (b % 4)));
        tellModel();
        return this.#numbers();
      }
    }
  }

  end(): void {
    this.#selector.close();
    this.#world.end();
  }

  /** @param properly unregisters first, as one should. */
  #close(choice: number, properly: boolean): Answer {
    const number = this.#world.pick(choice);
    if (number === null) return NOTHING;
    if (properly && this.#model.registrations.has(number)) {
      this.#note("unregistered");
      this.#model.unregister(number);
      this.#selector.unregister(number);
      this.#changeBatch(number);
    }
    this.#model.close(number);
    const tellModel = this.#model.watchFiles();
    this.#note(this.#world.close(number));
    tellModel();
    return this.#numbers();
  }

  /** Which numbers came up: the same on every backend, or the sequences are not the same. */
  #numbers(): Answer {
    const open = this.#world.known.map((number) => this.#world.fileOf(number)?.kind ?? "-");
    return { values: new Map([[NUMBERS, open.join()]]), ruled: new Set() };
  }

  #call({ name, a, b, c }: Operation): Answer {
    const { known } = this.#world;
    const place = a % Math.max(known.length, 1);
    const number = known[place];
    if (number === undefined) return NOTHING;
    const [mode, exclusive] = MODES[c % MODES.length] as (typeof MODES)[number];
    const wanted: Wanted = { events: 1 + (b % BOTH), mode, exclusive };
    const how = name === "register" ? `${mode}${exclusive ? ", exclusive" : ""}` : "";
    this.#note(name === "unregister" ? `${number}` : `${number} for ${wanted.events} ${how}`);
    const wasRuled = this.#model.ruled.has(number);
    const expected = this.#callModel(name, number, wanted);
    const actual = this.#callSelector(name, number, wanted);
    this.#changeBatch(number);
    this.#note(actual);
    this.#expect(actual, expected, `${name} of fd ${number}`);
    const ruled = wasRuled || this.#model.ruled.has(number);
    return { values: new Map([[place, actual]]), ruled: new Set(ruled ? [place] : []) };
  }

  #callModel(name: string, number: number, wanted: Wanted): string {
    if (name === "register") return this.#model.register(number, wanted, this.#index);
    if (name === "modify") return this.#model.modify(number, wanted.events, this.#index);
    return this.#model.unregister(number);
  }

  #callSelector(name: string, number: number, { events, mode, exclusive }: Wanted): string {
    try {
      if (name === "register") {
        this.#selector.register(number, events, this.#index, { mode, exclusive });
      } else if (name === "modify") {
        this.#selector.modify(number, events, this.#index);
      } else {
        this.#selector.unregister(number);
      }
      return "ok";
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code ?? error);
    }
  }

  /** What is registered, in all the ways there are to ask. */
  #look(): Answer {
    const { registrations, ruled } = this.#model;
    const map = this.#selector.getMap();
    this.#expect(this.#selector.size, registrations.size, "size");
    this.#expect(map?.size, registrations.size, "the map's size");
    const sorted = (numbers: Iterable<number>) => [...numbers].sort((x, y) => x - y).join();
    this.#expect(sorted(map ?? []), sorted(registrations.keys()), "the map");
    const values = new Map<number, string>();
    for (const { number, events, data } of registrations.values()) {
      const key = this.#selector.getKey(number);
      const text = `${key.events} ${key.data}`;
      this.#expect(text, `${events} ${data}`, `the key of fd ${number}`);
      this.#expect(map?.get(number), key, `the map's key of fd ${number}`);
      values.set(this.#placeOf(number), text);
    }
    return { values, ruled: this.#places(ruled) };
  }

  #select(): Answer {
    const expected = this.#model.expect();
    const hidesOthers = this.#model.hidesOthers;
    const reported = this.#poll();
    const ruled = this.#places(this.#model.ruledNow);
    const values = new Map<number, string>();
    for (const { number } of this.#model.registrations.values()) {
      const { least, most } = expected.get(number) ?? { least: 0, most: 0 };
      const events = reported.get(number) ?? 0;
      const fits = (events & least) === least && (events & ~most) === 0;
      const wanted = least === most ? `${least}` : `at least ${least}, at most ${most}`;
      this.#expect(fits ? wanted : `${events}`, wanted, `the readiness of fd ${number}`);
      values.set(this.#placeOf(number), String(events));
      if (least !== most) ruled.add(this.#placeOf(number));
    }
    this.#model.report(reported);
    return { values, ruled: hidesOthers ? "all" : ruled };
  }

  #poll(): Map<number, number> {
    const reported = new Map<number, number>();
    this.#batch = [];
    const count = this.#countReady();
    for (let i = 0; i < count; i++) {
      const key = this.#selector.readyKey(i);
      const registration = this.#model.registrations.get(key?.fd ?? -1);
      this.#expect(key?.data, registration?.data, `the key of event ${i}`);
      if (key === undefined) continue;
      this.#expect(reported.has(key.fd), false, `fd ${key.fd} was reported twice:`);
      const events = this.#selector.readyEvents(i);
      const flags = this.#selector.readyFlags(i);
      reported.set(key.fd, events);
      this.#batch.push({ number: key.fd, key, events, flags });
      if (this.#model.isPlain(key.fd)) this.#expect(flags, 0, `the flags of fd ${key.fd}`);
      if (this.#model.isFoundClosed(registration)) {
        this.#expect(flags, FLAG_ERROR, `the flags of fd ${key.fd}, which is closed,`);
      }
    }
    this.#note(JSON.stringify([...reported]));
    return reported;
  }

  /** After so many looks in a row that found events, one may end empty for Node's sake. */
  #countReady(): number {
    let count = this.#selector.poll(0);
    if (count === 0 && this.#foundInRow >= LOOKS_IN_ROW) {
      this.#foundInRow = 0;
      count = this.#selector.poll(0);
    }
    this.#foundInRow = count > 0 ? this.#foundInRow + 1 : 0;
    return count;
  }

  /** The number was registered, modified or unregistered, or that was refused. */
  #changeBatch(number: number): void {
    const registration = this.#model.registrations.get(number);
    for (const entry of this.#batch) {
      if (entry.number !== number || entry.key === undefined) continue;
      entry.key = registration === undefined ? undefined : this.#selector.getKey(number);
      entry.events &= registration?.events ?? 0;
    }
  }

  /** Handlers change descriptors while a batch is served: no event may reach the old owner. */
  #readBatch(): void {
    for (const [i, { number, key, events, flags }] of this.#batch.entries()) {
      const what = `of event ${i} (fd ${number}) since`;
      this.#expect(this.#selector.readyKey(i)?.data, key?.data, `the key ${what}`);
      if (key === undefined) continue;
      this.#expect(this.#selector.readyKey(i), key, `the key itself ${what}`);
      this.#expect(this.#selector.readyEvents(i), events, `the readiness ${what}`);
      this.#expect(this.#selector.readyFlags(i), flags, `the flags ${what}`);
    }
    const past = this.#selector.readyKey(this.#batch.length);
    this.#expect(past, undefined, "the key past the batch");
  }

  #placeOf(number: number): number {
    return this.#world.known.indexOf(number);
  }

  #places(numbers: Iterable<number>): Set<number> {
    return new Set([...numbers].map((number) => this.#placeOf(number)));
  }

  #note(what: string): void {
    this.log[this.log.length - 1] += ` ${what}`;
  }

  #expect<T>(actual: T, expected: T, what: string): void {
    if (actual === expected) return;
    throw new Error(`${what} is ${String(actual)}; the model says ${String(expected)}`);
  }
}
