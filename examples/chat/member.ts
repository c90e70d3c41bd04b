// One client of the chat: its lines become requests, and messages to it wait in its connection, up
// to a limit. A client that does not read is disconnected, so that it costs the others nothing.

import { type Connection, type Server, serve } from "../../src/index.ts";
import { LineReader } from "./line-reader.ts";
import { encode, newAddress, parseRequest, type Request } from "./messages.ts";

export interface Limits {
  readonly longestLineBytes: number;
  /** What may wait for one connection before it is dropped as a slow reader. */
  readonly queueBytes: number;
  /** Groups that one connection may be in at a time: each costs the server some 500 bytes. */
  readonly groupsPerMember: number;
}

/** The server as a member sees it. */
export interface Floor {
  readonly limits: Limits;
  entered(member: Member): void;
  handle(member: Member, request: Request): void;
  /** Reports a problem that has been handled. */
  report(text: string): void;
  /** The connection is closed. `reason` is null if the peer left by itself. */
  left(member: Member, reason: string | null): void;
}

export interface DoorOptions {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Several processes listen on the port, and the kernel distributes the connections. */
  readonly reusePort: boolean;
}

/** How long a peer that has ended its side still receives messages. */
const LAST_WORDS_MS = 250;

/** Lets members in. */
export function openDoor(options: DoorOptions, floor: Floor): Server<Member> {
  return serve<Member>(
    { ...options, allowHalfOpen: true },
    {
      open(connection) {
        connection.data = new Member(connection, floor);
        floor.entered(connection.data);
      },
      data: (connection, bytes) => connection.data.hear(bytes),
      end: (connection) => connection.data.finish(),
      error: (connection, thrown) => connection.data.drop(`internal error: ${String(thrown)}`),
      close: (connection) => connection.data.leave(),
    },
  );
}

let members = 0;

export class Member {
  /** The name that it gave last; empty until then. */
  user = "";
  readonly groups = new Set<string>();
  /** Where this client alone can be reached, from any host. */
  readonly address = newAddress();
  readonly #number = ++members;
  readonly #connection: Connection<Member>;
  readonly #floor: Floor;
  readonly #reader: LineReader;
  #linesRead = 0;
  #reason: string | null = null;

  constructor(connection: Connection<Member>, floor: Floor) {
    this.#connection = connection;
    this.#floor = floor;
    this.#reader = new LineReader(floor.limits.longestLineBytes);
  }

  /** As messages about it show it. */
  get name(): string {
    return this.user === "" ? `connection ${this.#number}` : this.user;
  }

  /** Sends a line; all lines of one turn leave together. A queue that is full drops the member. */
  tell(line: Uint8Array): void {
    const { queueBytes } = this.#floor.limits;
    const { bufferedBytes, writable } = this.#connection;
    if (!writable) return;
    if (bufferedBytes > 0 && bufferedBytes + line.length > queueBytes) {
      this.drop(`slow reader: more than ${queueBytes} bytes waited for it`);
    } else this.#connection.write(line);
  }

  /** Closes the connection for a reason that is reported. */
  drop(reason: string): void {
    this.#reason ??= reason;
    this.#connection.destroy();
  }

  /** Stops or resumes reading from it: lines that cannot be passed on stay in its socket. */
  pause(paused: boolean): void {
    if (paused) this.#connection.pause();
    else this.#connection.resume();
  }

  /** Reports what is wrong with the line that was read last, to the peer, too. */
  complain(problem: string): void {
    const text = `line ${this.#linesRead}: ${problem}`;
    this.#floor.report(`${this.name}: ${text}`);
    this.tell(encode({ problem: text }));
  }

  hear(bytes: Uint8Array): void {
    this.#take(this.#reader.feed(bytes));
  }

  /** The peer sends no more, but may still receive. */
  finish(): void {
    this.#take(this.#reader.finish());
    setTimeout(() => this.#connection.end(), LAST_WORDS_MS);
  }

  leave(): void {
    this.#floor.left(this, this.#reason);
  }

  #take(lines: ReturnType<LineReader["feed"]>): void {
    for (const line of lines) {
      this.#linesRead++;
      const request = "text" in line ? parseRequest(line.text) : line;
      if ("kind" in request) this.#floor.handle(this, request);
      else this.complain(request.problem);
      if (this.#connection.closed) return;
    }
  }
}
