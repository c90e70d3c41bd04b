// The descriptors of the fuzz test: real ones, each with the model of its file in the same state.

import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  accept,
  close,
  connectTcp,
  dup,
  EVENT_READ,
  EVENT_WRITE,
  listenTcp,
  localPort,
  makeFifo,
  openFifo,
  PollSelector,
  pipe,
  read,
  setNoDelay,
  shutdown,
  socketPair,
  write,
} from "../../src/index.ts";
import { FILE_KINDS, type FileKind, nextWriter, type OpenFile, openFiles } from "./files.ts";

/** Few enough that numbers are given out again and again. */
const MOST_OPEN = 20;

/**
 * Small writes that wait: a Unix socket is writable while they take less than a quarter of its
 * buffer, and each byte takes most of a kilobyte of it (unix_writable in the kernel's af_unix.c).
 */
const MOST_UNREAD = 24;

const NOT_DONE = "not done";
const small = new Uint8Array(8);
const large = new Uint8Array(64 * 1024);

export class World {
  /** Every number there has been, in the order in which they came up. */
  readonly known: number[] = [];
  readonly #files = new Map<number, OpenFile>();
  readonly #folder = mkdtempSync(join(tmpdir(), "io-selectors-fuzz-"));
  readonly #fifos = new Map<OpenFile, string>();
  readonly #regular = join(this.#folder, "regular");
  readonly #listener = listenTcp();
  // Waits for what loopback delivers a moment later.
  readonly #oracle = new PollSelector();
  #made = 0;

  constructor() {
    writeFileSync(this.#regular, "");
  }

  readonly fileOf = (number: number): OpenFile | null => this.#files.get(number) ?? null;

  open(choice: number): string {
    if (this.#files.size >= MOST_OPEN) return NOT_DONE;
    const kind = FILE_KINDS[choice % FILE_KINDS.length] as FileKind;
    const numbers = this.#openNumbers(kind);
    for (const [i, file] of openFiles(kind).entries()) {
      this.#adopt(numbers[i] as number, file);
      if (kind === "fifo" && i === 0) this.#fifos.set(file, this.#fifoPath());
    }
    return `${kind}: ${numbers}`;
  }

  /** @returns the number, null if none is open. */
  pick(choice: number, fits: (file: OpenFile) => boolean = () => true): number | null {
    const fitting = [...this.#files].filter(([, file]) => fits(file));
    return fitting[choice % Math.max(fitting.length, 1)]?.[0] ?? null;
  }

  close(number: number): string {
    const file = this.#at(number);
    this.#expect(close(number), 0, `close(${number})`);
    this.#files.delete(number);
    file.numbers.delete(number);
    if (!file.isOpen) file.change();
    this.#settle(file.peer);
    return `${number} (${file.kind})`;
  }

  dup(choice: number): string {
    const number = this.pick(choice);
    if (number === null || this.#files.size >= MOST_OPEN) return NOT_DONE;
    const copy = dup(number);
    this.#adopt(copy, this.#at(number));
    return `${number}: ${copy}`;
  }

  /** Opens the writing end of a FIFO that has lost all of its writers. */
  reopen(choice: number): string {
    const isLeft = (file: OpenFile) => this.#fifos.has(file) && file.peer?.isOpen === false;
    const number = this.pick(choice, isLeft);
    if (number === null) return NOT_DONE;
    const reader = this.#at(number);
    const writer = openFifo(this.#fifos.get(reader) as string, "write");
    this.#adopt(writer, nextWriter(reader));
    reader.change();
    return `${number}: ${writer}`;
  }

  write(choice: number, size: number): string {
    const number = this.pick(choice, ({ writes, peer }) => writes && peer !== null);
    if (number === null) return NOT_DONE;
    const file = this.#at(number);
    const { peer } = file;
    if (peer === null || file.full || peer.unread + size > MOST_UNREAD) return NOT_DONE;
    const written = write(number, small, 0, size);
    file.change();
    const arrives = peer.isOpen && !file.ended;
    if (arrives) this.#expect(written, size, `write(${number})`);
    if (arrives) peer.unread += size;
    this.#settle(arrives ? peer : file);
    return `${size} to ${number}`;
  }

  read(choice: number, size: number): string {
    const number = this.pick(choice, ({ reads, unread }) => reads && unread > 0);
    if (number === null) return NOT_DONE;
    const file = this.#at(number);
    // After part of what filled a peer was read, it may or may not be writable.
    const all = file.unread === Number.POSITIVE_INFINITY;
    let got = read(number, all ? large : small, 0, all ? large.length : size);
    if (file.peer?.isOpen) this.#expect(got > 0, true, `read(${number})`);
    while (all && got > 0) got = read(number, large);
    file.unread = all ? 0 : Math.max(0, file.unread - size);
    if (all && file.peer !== null) file.peer.full = false;
    file.change();
    return `${all ? "all" : size} from ${number}`;
  }

  /** Writes until there is no room. Not by TCP, where loopback moves on what was taken. */
  fill(choice: number): string {
    const takes = ({ writes, kind, ended, peer }: OpenFile) =>
      writes && kind !== "tcp" && !ended && peer?.isOpen === true;
    const number = this.pick(choice, takes);
    if (number === null) return NOT_DONE;
    const file = this.#at(number);
    while (write(number, large) > 0) {
      // until it is full
    }
    file.full = true;
    if (file.peer !== null) file.peer.unread = Number.POSITIVE_INFINITY;
    file.change();
    return `${number}`;
  }

  shutdown(choice: number): string {
    const fits = (file: OpenFile) => file.isSocket && !file.ended && file.peer?.isOpen === true;
    const number = this.pick(choice, fits);
    if (number === null) return NOT_DONE;
    const file = this.#at(number);
    this.#expect(shutdown(number, "write"), 0, `shutdown(${number})`);
    file.ended = true;
    file.change();
    this.#settle(file.peer);
    return `${number}`;
  }

  end(): void {
    for (const number of this.#files.keys()) close(number);
    close(this.#listener);
    this.#oracle.close();
    rmSync(this.#folder, { recursive: true });
  }

  #openNumbers(kind: FileKind): number[] {
    switch (kind) {
      case "unix":
        return socketPair();
      case "pipe":
        return pipe();
      case "tcp": {
        const client = connectTcp({ port: localPort(this.#listener) });
        this.#waitFor(this.#listener, EVENT_READ);
        const server = accept(this.#listener);
        this.#waitFor(client, EVENT_WRITE);
        setNoDelay(client); // or it would wait for the peer's acknowledgement: tcp(7)
        return [client, server];
      }
      case "fifo": {
        this.#made++;
        makeFifo(this.#fifoPath());
        return [openFifo(this.#fifoPath(), "read"), openFifo(this.#fifoPath(), "write")];
      }
      case "regular":
        return [openSync(this.#regular, "r+")];
    }
  }

  #fifoPath(): string {
    return join(this.#folder, `fifo-${this.#made}`);
  }

  #adopt(number: number, file: OpenFile): void {
    this.#expect(this.#files.has(number), false, `${number} is open and was given out again:`);
    this.#files.set(number, file);
    file.numbers.add(number);
    if (!this.known.includes(number)) this.known.push(number);
  }

  #at(number: number): OpenFile {
    const file = this.#files.get(number);
    if (file === undefined) throw new Error(`${number} is not open`);
    return file;
  }

  /** Waits until TCP has delivered what the model knows already. */
  #settle(file: OpenFile | null): void {
    const [number] = file?.numbers ?? [];
    if (file === null || number === undefined || file.kind !== "tcp") return;
    if (file.readiness().input) this.#waitFor(number, EVENT_READ);
    if (file.readiness().output) this.#waitFor(number, EVENT_WRITE);
  }

  #waitFor(number: number, events: number): void {
    this.#oracle.register(number, events);
    const ready = this.#oracle.poll(5000);
    this.#oracle.unregister(number);
    this.#expect(ready, 1, `fd ${number} was not ready for ${events} in 5 s:`);
  }

  #expect<T>(actual: T, expected: T, what: string): void {
    if (actual === expected) return;
    throw new Error(`the model of files is wrong: ${what} ${actual}, not ${expected}`);
  }
}
