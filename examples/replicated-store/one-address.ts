// One address in front of both queues, for clients that cannot choose between two: a frame in front
// of the question names its operation, so that the JSON behind it is passed on unread.
//
//   ["get", {"op":"get","key":"colour"}] from a REQ socket, a number and "" before it from a DEALER

import { Dealer, Router } from "zeromq";
import { FrameQueue } from "../chat/frame-queue.ts";
import type { Answer } from "./protocol.ts";

export interface Targets {
  readonly reads: string;
  readonly writes: string;
}

/** Serves until the signal. @returns the address that it listens on. */
export async function openOneAddress(
  wanted: string,
  { reads, writes }: Targets,
  stop: AbortSignal,
): Promise<string> {
  const router = new Router({ linger: 0 });
  const [reading, writing] = [new Dealer({ linger: 0 }), new Dealer({ linger: 0 })];
  await router.bind(wanted);
  reading.connect(reads);
  writing.connect(writes);
  stop.addEventListener("abort", () => {
    for (const socket of [router, reading, writing]) socket.close();
  });
  const answers = new FrameQueue(router);
  const toReaders = new FrameQueue(reading);
  const toWriter = new FrameQueue(writing);
  const queues = new Map([
    ["get", toReaders],
    ["put", toWriter],
    ["delete", toWriter],
  ]);
  const passOn = async () => {
    for await (const frames of router) {
      // The envelope ends with an empty frame; without one it is the name of the connection alone.
      const end =
        Math.max(
          0,
          frames.findIndex(({ length }) => length === 0),
        ) + 1;
      const [envelope, [operation, question]] = [frames.slice(0, end), frames.slice(end)];
      const queue = queues.get(operation?.toString() ?? "");
      if (queue !== undefined && question !== undefined) queue.push([...envelope, question]);
      else answers.push([...envelope, JSON.stringify(unknown(operation))]);
    }
  };
  const bringBack = async (socket: Dealer) => {
    for await (const frames of socket) answers.push(frames);
  };
  void passOn();
  for (const socket of [reading, writing]) void bringBack(socket);
  return router.lastEndpoint ?? "";
}

const unknown = (operation: Buffer | undefined): Answer => ({
  version: 0,
  error: `the first frame is "${operation}"; it must be get, put or delete`,
});
