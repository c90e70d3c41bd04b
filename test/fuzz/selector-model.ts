// The model of one Selector, pure: the registrations, and what each call should return. A result
// that depends on a backend's rule is marked, and is not compared with the other backends'.

import { type Capabilities, EVENT_READ, EVENT_WRITE } from "../../src/index.ts";
import type { OpenFile } from "./files.ts";
import type { Rules } from "./rules.ts";

export type Mode = "level" | "edge" | "oneshot";

export interface Wanted {
  readonly events: number;
  readonly mode: Mode;
  readonly exclusive: boolean;
}

/** The bits that must be reported, and those that may. */
export interface Expected {
  readonly least: number;
  readonly most: number;
}

/** Whether select(2) and the others tell it differently: writable, or only hung up. */
function isOnlyHungUp(file: OpenFile | null, events: number): boolean {
  if (file === null || (events & EVENT_WRITE) === 0) return false;
  const { hangup, output, error } = file.readiness();
  return hangup && !output && !error;
}

export class Registration {
  events: number;
  readonly mode: Mode;
  readonly exclusive: boolean;
  /** What the number named when it was registered or modified; null: nothing. */
  file: OpenFile | null;
  /** The number was closed since, or was not open in the first place. */
  orphaned: boolean;
  /** What it has named since then, too. */
  readonly past = new Set<OpenFile>();
  /** A oneshot, or a closed number, that has been reported: not again before modify. */
  spent = false;
  /** Something happened to its file, and it may have been others who were woken for it. */
  passedOver = false;
  /** Of an edge: what became ready and was not reported yet, and what had been done by then. */
  due = 0;
  seen = -1;

  constructor(
    readonly number: number,
    wanted: Wanted,
    file: OpenFile | null,
    /** What its key carries: the operation that made it. */
    public data: number,
  ) {
    this.events = wanted.events;
    this.mode = wanted.mode;
    this.exclusive = wanted.exclusive;
    this.file = file;
    this.orphaned = file === null;
  }

  arm(events: number, file: OpenFile | null, data: number): void {
    this.events = events;
    this.file = file;
    this.data = data;
    this.orphaned = file === null;
    this.past.clear();
    this.spent = false;
    this.passedOver = false;
    this.seen = -1;
  }
}

export class SelectorModel {
  readonly registrations = new Map<number, Registration>();
  /** Numbers for which a rule of the backend has made a difference, until they are unregistered. */
  readonly ruled = new Set<number>();
  /** An epoll set may be rebuilt, which repeats edges. */
  #mayRebuild = false;

  constructor(
    readonly rules: Rules,
    readonly capabilities: Capabilities,
    readonly fileOf: (number: number) => OpenFile | null,
  ) {}

  /** @returns the error's code, or "ok". */
  register(number: number, wanted: Wanted, data: number): string {
    if (this.registrations.has(number)) return "ERR_SELECTOR_KEY_EXISTS";
    const lacks =
      (wanted.mode !== "level" && !this.capabilities[wanted.mode]) ||
      (wanted.exclusive && !this.capabilities.exclusive);
    const file = this.fileOf(number);
    const refused = this.#refusal(file);
    if (lacks || file === null || refused !== null) this.ruled.add(number);
    if (lacks) return "ERR_SELECTOR_UNSUPPORTED";
    if (refused !== null) return refused;
    const registration = new Registration(number, wanted, file, data);
    this.registrations.set(number, registration);
    this.#startEdge(registration);
    return "ok";
  }

  modify(number: number, events: number, data: number): string {
    const registration = this.registrations.get(number);
    if (registration === undefined) return "ERR_SELECTOR_KEY_NOT_FOUND";
    const file = this.fileOf(number);
    const refused = this.#refusal(file);
    if (file === null || refused !== null) this.ruled.add(number);
    if (refused !== null) {
      this.registrations.delete(number);
      return refused;
    }
    registration.arm(events, file, data);
    this.#startEdge(registration);
    return "ok";
  }

  unregister(number: number): string {
    const known = this.registrations.delete(number);
    this.ruled.delete(number);
    return known ? "ok" : "ERR_SELECTOR_KEY_NOT_FOUND";
  }

  /** The number is about to be closed. */
  close(number: number): void {
    const registration = this.registrations.get(number);
    if (registration === undefined) return;
    registration.orphaned = true;
    const file = this.fileOf(number);
    registration.file ??= file;
    if (file !== null) registration.past.add(file);
    this.ruled.add(number);
    this.#mayRebuild ||= this.rules.orphansWatch === "file";
  }

  /** Called before and after something is done to files, for what has become ready by it. */
  watchFiles(): () => void {
    const before = [...this.registrations.values()].map(
      (registration) => [registration, this.#ready(registration)] as const,
    );
    return () => {
      for (const [registration, ready] of before) {
        const risen = this.#ready(registration) & ~ready;
        if (registration.mode === "edge") registration.due |= risen;
        if (risen !== 0 && this.#mayPassOver(registration)) registration.passedOver = true;
      }
    };
  }

  /** What the next wait should report, by number; numbers without any are left out. */
  expect(): Map<number, Expected> {
    const expected = new Map<number, Expected>();
    const closed = [...this.registrations.values()].filter((one) => this.isFoundClosed(one));
    for (const registration of this.registrations.values()) {
      const { number, events } = registration;
      if (closed.includes(registration)) expected.set(number, { least: events, most: events });
      else if (closed.length === 0 || !this.rules.closedFirst) {
        expected.set(number, this.#expectOf(registration));
      }
    }
    return expected;
  }

  /** Whether a closed number keeps the next wait from telling of others. */
  get hidesOthers(): boolean {
    const all = [...this.registrations.values()];
    return this.rules.closedFirst && all.some((one) => this.isFoundClosed(one));
  }

  /** Numbers of which the next wait tells as a rule of this backend has it. */
  get ruledNow(): Set<number> {
    const now = new Set(this.ruled);
    for (const { number, events } of this.registrations.values()) {
      const differs = !this.rules.hangupIsOutput && isOnlyHungUp(this.fileOf(number), events);
      if (differs) now.add(number);
    }
    return now;
  }

  /** What a wait has reported. */
  report(reported: ReadonlyMap<number, number>): void {
    for (const registration of this.registrations.values()) {
      const events = reported.get(registration.number) ?? 0;
      if (events === 0) continue;
      if (registration.mode === "oneshot" || this.isFoundClosed(registration)) {
        registration.spent = true;
      }
      registration.passedOver = false;
      registration.due = 0;
      registration.seen = registration.file?.changes ?? -1;
    }
  }

  /** Whether the flags of a report must be 0. */
  isPlain(number: number): boolean {
    const registration = this.registrations.get(number);
    if (registration === undefined || registration.orphaned) return false;
    if (registration.mode === "edge" && this.rules.keepsEdges) return false;
    const readiness = registration.file?.readiness();
    return readiness !== undefined && !readiness.hangup && !readiness.error && !readiness.ended;
  }

  /** What the kernel says to a number, where it is asked. */
  #refusal(file: OpenFile | null): string | null {
    if (file === null) return this.rules.refusesClosed ? "EBADF" : null;
    return file.kind === "regular" && !this.capabilities.regularFiles ? "EPERM" : null;
  }

  #expectOf(registration: Registration): Expected {
    if (registration.spent) return { least: 0, most: 0 };
    const ready = this.#ready(registration);
    if (registration.orphaned) return this.#expectOfOrphan(registration, ready);
    const { least, most } =
      registration.mode === "edge"
        ? this.#expectOfEdge(registration, ready)
        : { least: ready, most: ready };
    return { least: registration.passedOver ? 0 : least, most };
  }

  /** Of several that watch one file exclusively, one at least is woken. epoll_ctl(2) */
  #mayPassOver({ exclusive, number }: Registration): boolean {
    if (!exclusive) return false;
    const all = [...this.registrations.values()];
    const file = this.fileOf(number);
    return all.some(
      (one) => one.exclusive && one.number !== number && this.fileOf(one.number) === file,
    );
  }

  #expectOfEdge({ file, events, due, seen }: Registration, ready: number): Expected {
    // TCP's acknowledgements come at any time, and wake waits: epoll(7), spurious.
    const touched = seen !== file?.changes || file.kind === "tcp" || this.#mayRebuild;
    const most = this.rules.keepsEdges ? events : ready;
    return { least: due & ready, most: touched ? most : 0 };
  }

  #expectOfOrphan(registration: Registration, ready: number): Expected {
    const { file, events, mode, past } = registration;
    switch (this.rules.orphansWatch) {
      case "nothing":
        if (file !== null) return { least: 0, most: 0 };
        break;
      case "file": {
        let most = ready;
        for (const one of past) if (one.isOpen) most |= this.#bits(one, events);
        return { least: 0, most };
      }
    }
    if (mode !== "edge") return { least: ready, most: ready };
    return { least: 0, most: this.rules.keepsEdges ? events : ready };
  }

  /** A number that is taken at each wait, and names nothing. */
  isFoundClosed(registration: Registration | undefined): boolean {
    if (registration?.orphaned !== true || registration.spent) return false;
    const { orphansWatch } = this.rules;
    if (orphansWatch === "file") return false;
    if (orphansWatch === "nothing" && registration.file !== null) return false;
    return this.fileOf(registration.number) === null;
  }

  /** What the number names now is ready for, as far as asked for. */
  #ready(registration: Registration): number {
    return this.#bits(this.fileOf(registration.number), registration.events);
  }

  #bits(file: OpenFile | null, events: number): number {
    if (file === null) return 0;
    const { input, output, hangup, error } = file.readiness();
    const read = input || hangup || error;
    const write = output || error || (hangup && this.rules.hangupIsOutput);
    return ((read ? EVENT_READ : 0) | (write ? EVENT_WRITE : 0)) & events;
  }

  #startEdge(registration: Registration): void {
    registration.due = registration.mode === "edge" ? this.#ready(registration) : 0;
  }
}
