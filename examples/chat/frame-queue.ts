// A queue before a ZeroMQ socket, which takes one message at a time and makes its sender wait if it
// is full. https://zeromq.github.io/zeromq.js/

type Frames = readonly (string | Uint8Array)[];

export interface FrameSink {
  send(frames: (string | Uint8Array)[]): Promise<void>;
}

export class FrameQueue {
  readonly #socket: FrameSink;
  readonly #onDrained: () => void;
  #frames: Frames[] = [];
  #first = 0;
  #sending = false;

  /** @param onDrained is called each time when nothing waits any more. */
  constructor(socket: FrameSink, onDrained: () => void = () => {}) {
    this.#socket = socket;
    this.#onDrained = onDrained;
  }

  /** Messages that wait, without those in the socket. */
  get waiting(): number {
    return this.#frames.length - this.#first;
  }

  push(frames: Frames): void {
    this.#frames.push(frames);
    if (!this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      while (this.waiting > 0) {
        await this.#socket.send([...(this.#frames[this.#first] as Frames)]);
        this.#first++;
      }
    } catch {
      // The socket was closed because the process ends: waiting messages are lost, and their
      // receivers count them.
    }
    this.#frames = [];
    this.#first = 0;
    this.#sending = false;
    this.#onDrained();
  }
}
