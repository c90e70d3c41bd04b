// One connection of the chat: its bytes become requests, what it is told waits in its outbox.
// Enters: readiness, lines to tell. Leaves: requests to the floor, bytes to the peer. It is watched
// for writing only while its outbox holds something.

import {
  close,
  EAGAIN,
  EVENT_READ,
  EVENT_WRITE,
  type EventHandler,
  type Reactor,
  recv,
} from "../../src/index.ts";
import { LineReader } from "./line-reader.ts";
import { encode, parseRequest, type Request } from "./messages.ts";
import { Outbox } from "./outbox.ts";

export interface Limits {
  readonly longestLineBytes: number;
  /** What may wait for one connection before it is dropped as a slow reader. */
  readonly queueBytes: number;
  /** Groups that one connection may be in at a time: each costs the server some 500 bytes. */
  readonly groupsPerMember: number;
}

/** Where members stand: what a member needs from the server. */
export interface Floor {
  readonly reactor: Reactor;
  readonly limits: Limits;
  handle(member: Member, request: Request): void;
  /** Something was wrong, and has been dealt with. */
  report(text: string): void;
  /** The connection is closed. `reason` is null where the peer left by itself. */
  left(member: Member, reason: string | null): void;
}

/** What is under way to a peer that has said its last word still reaches it. */
const LAST_WORDS_MS = 250;
const buffer = new Uint8Array(16 * 1024); // for all: a member keeps copies

export class Member implements EventHandler {
  /** The name that it gave last; empty until then. */
  user = "";
  readonly groups = new Set<string>();
  readonly #fd: number;
  readonly #floor: Floor;
  readonly #reader: LineReader;
  readonly #outbox: Outbox;
  #linesRead = 0;
  #finished = false;
  /** It has been given the time to hear what was under way. */
  #leaving = false;
  #paused = false;
  #watched = EVENT_READ;
  #flushing = false;
  #gone = false;
  #reason: string | null = null;

  /** Registers itself. */
  constructor(fd: number, floor: Floor) {
    this.#fd = fd;
    this.#floor = floor;
    this.#reader = new LineReader(floor.limits.longestLineBytes);
    this.#outbox = new Outbox(floor.limits.queueBytes);
    floor.reactor.registerHandler(fd, EVENT_READ, this);
  }

  /** As messages about it show it. */
  get name(): string {
    return this.user === "" ? `connection ${this.#fd}` : this.user;
  }

  /** Puts a line into its queue; a queue that is full drops the member. */
  tell(line: Uint8Array): void {
    if (this.#gone) return;
    if (!this.#outbox.push(line)) {
      this.drop(`slow reader: more than ${this.#floor.limits.queueBytes} bytes waited for it`);
      return;
    }
    if (this.#flushing) return;
    // All that one turn brings goes out with one call.
    this.#flushing = true;
    this.#floor.reactor.post(() => this.#flush());
  }

  /** Closes the connection for a reason that is reported. */
  drop(reason: string): void {
    if (this.#gone) return;
    this.#reason = reason;
    this.#floor.reactor.removeHandler(this.#fd);
  }

  /** Stops or goes on reading it: what cannot be passed on is better left in its socket. */
  pause(paused: boolean): void {
    if (this.#gone) return;
    this.#paused = paused;
    this.#watch();
  }

  /** Reports what is wrong with the line that was read last, to the peer, too. */
  complain(problem: string): void {
    const text = `line ${this.#linesRead}: ${problem}`;
    this.#floor.report(`${this.name}: ${text}`);
    this.tell(encode({ problem: text }));
  }

  onReadable(fd: number): void {
    const n = recv(fd, buffer);
    if (n === -EAGAIN) return;
    if (n < 0) this.#floor.reactor.removeHandler(fd);
    else if (n === 0) this.#finish();
    else this.#hear(this.#reader.feed(buffer.subarray(0, n)));
  }

  onWritable(): void {
    this.#flush();
  }

  onError(error: unknown): void {
    this.#reason = `internal error: ${String(error)}`;
  }

  onClose(fd: number): void {
    this.#gone = true;
    close(fd);
    this.#floor.left(this, this.#reason);
  }

  #hear(lines: ReturnType<LineReader["feed"]>): void {
    for (const line of lines) {
      this.#linesRead++;
      const request = "text" in line ? parseRequest(line.text) : line;
      if ("kind" in request) this.#floor.handle(this, request);
      else this.complain(request.problem);
      if (this.#gone) return;
    }
  }

  /** The peer says no more, and perhaps still listens. */
  #finish(): void {
    this.#hear(this.#reader.finish());
    if (this.#gone) return;
    this.#finished = true;
    this.#watch();
    this.#floor.reactor.setTimer(LAST_WORDS_MS, () => {
      this.#leaving = true;
      this.#flush();
    });
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#gone) return;
    const lost = this.#outbox.flush(this.#fd) < 0;
    if (lost || (this.#leaving && this.#outbox.bytes === 0)) {
      this.#floor.reactor.removeHandler(this.#fd);
    } else {
      this.#watch();
    }
  }

  /** Watches for what is of use now; a level trigger would report the rest again and again. */
  #watch(): void {
    const reading = !this.#finished && !this.#paused;
    const wanted = (reading ? EVENT_READ : 0) | (this.#outbox.bytes > 0 ? EVENT_WRITE : 0);
    if (wanted === this.#watched) return;
    const { reactor } = this.#floor;
    if (wanted === 0) reactor.suspend(this.#fd);
    else {
      reactor.modify(this.#fd, wanted);
      if (this.#watched === 0) reactor.resume(this.#fd);
    }
    this.#watched = wanted;
  }
}
