// The Web's streams over a Duplex. Duplex.toWeb() of Node 20 ends the readable stream only once the
// writable one has ended, so a half-closed peer would keep its reader waiting.

import type { Duplex } from "node:stream";
import {
  type ReadableByteStreamController,
  ReadableStream,
  WritableStream,
  type WritableStreamDefaultController,
} from "node:stream/web";
import { closedBeforeEnd } from "./errors.ts";

/** What toWebStreams returns: the two directions of a descriptor or connection. */
export interface WebStreams {
  /** Bytes as they come; `cancel` destroys both sides. */
  readonly readable: ReadableStream<Uint8Array>;
  /** A write resolves once the descriptor has taken it; `close` half-closes, `abort` destroys. */
  readonly writable: WritableStream<Uint8Array>;
}

export function webStreamsOf(stream: Duplex): WebStreams {
  return { readable: readableOf(stream), writable: writableOf(stream) };
}

function readableOf(stream: Duplex): ReadableStream<Uint8Array> {
  let over = false;
  const settle = (end: () => void) => {
    if (!over) end();
    over = true;
  };
  const start = (controller: ReadableByteStreamController) => {
    stream.pause();
    stream.on("data", (chunk: Buffer) => {
      if (over) return; // cancelled: the Duplex still gives what it has buffered
      // A copy of its own: the Web's byte streams take the buffer away from the chunk.
      controller.enqueue(new Uint8Array(chunk));
      if ((controller.desiredSize ?? 0) <= 0) stream.pause();
    });
    stream.pause();
    stream.on("end", () =>
      settle(() => {
        try {
          controller.close();
          controller.byobRequest?.respond(0); // which settles a reader that brought its own buffer
        } catch (error) {
          controller.error(error); // part of an element of that buffer is missing
        }
      }),
    );
    stream.on("error", (error) => settle(() => controller.error(error)));
    stream.on("close", () => settle(() => controller.error(closedBeforeEnd("the stream"))));
  };
  return new ReadableStream(
    {
      type: "bytes",
      start,
      pull: () => void stream.resume(),
      cancel: () => {
        over = true;
        stream.destroy();
      },
    },
    { highWaterMark: stream.readableHighWaterMark },
  );
}

function writableOf(stream: Duplex): WritableStream<Uint8Array> {
  const start = (controller: WritableStreamDefaultController) => {
    stream.on("error", (error) => controller.error(error));
    stream.on("close", () => controller.error(closedBeforeEnd("the stream")));
  };
  const settling = (call: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      call((error) => (error ? reject(error) : resolve()));
    });
  return new WritableStream<Uint8Array>({
    start,
    write: (chunk) => settling((done) => stream.write(chunk, done)),
    close: () => settling((done) => stream.end(done)),
    abort: (reason) => void stream.destroy(reason instanceof Error ? reason : undefined),
  });
}
