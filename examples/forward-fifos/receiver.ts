// The receiving end: the first line of a connection names a FIFO in the folder, and each line after
// it goes into that FIFO. The number of lines written so far is the acknowledgement.

import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import {
  type Connection,
  close,
  lines,
  makeFifo,
  openFifo,
  serve,
  toWritable,
} from "../../src/index.ts";
import { LONGEST_LINE_BYTES } from "./line-splitter.ts";

const NAME = /^\w[\w.-]{0,99}$/; // no folder, no hidden file
const MOST_CONNECTIONS = 1000;
const MOST_FIFOS = 200; // each keeps two descriptors

export interface Inbox {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
}

/** A FIFO that lines are written into, and our own reader: without one, opening fails (ENXIO). */
interface Outlet {
  readonly reader: number;
  readonly output: Writable;
}

interface Peer {
  readonly outlet: Outlet;
  written: number;
}

/** Serves until `signal` is aborted. FIFOs that do not exist are made. */
export async function receiveLines(inbox: Inbox, signal: AbortSignal): Promise<void> {
  const { host, port, folder } = inbox;
  mkdirSync(folder, { recursive: true });
  const outlets = new Map<string, Outlet>();
  const server = serve<Peer | undefined>(
    { host, port, maxConnections: MOST_CONNECTIONS },
    lines<Peer | undefined>({
      encoding: null,
      longest: LONGEST_LINE_BYTES,
      onLine(connection, line) {
        if (connection.data === undefined) {
          connection.data = { outlet: outletOf(String(Buffer.from(line))), written: 0 };
        } else {
          forward(connection, connection.data, line);
        }
      },
      error(_connection, thrown) {
        console.error((thrown as Error).message);
      },
      close(_connection, error) {
        if (error !== null) console.error(`a sender was lost: ${error.message}`);
      },
    }),
  );

  function outletOf(name: string): Outlet {
    if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a FIFO`);
    if (!outlets.has(name) && outlets.size >= MOST_FIFOS)
      throw new Error(`${name}: no more than ${MOST_FIFOS} FIFOs`);
    const outlet = outlets.get(name) ?? open(join(folder, name));
    outlets.set(name, outlet);
    return outlet;
  }

  await server.ready; // at once, unless the host is a name
  console.error(`receiving on ${server.address?.host}:${server.address?.port} into ${folder}`);
  if (!signal.aborted) await once(signal, "abort");
  await server.close({ connections: "destroy" });
  for (const { reader, output } of outlets.values()) {
    output.destroy();
    close(reader);
  }
}

function open(path: string): Outlet {
  if (!existsSync(path)) makeFifo(path);
  const reader = openFifo(path, "read");
  const output = toWritable(openWriter(path, reader));
  output.on("error", (error) => console.error(`${path}: ${error.message}`));
  output.setMaxListeners(0); // one per connection that waits for room
  return { reader, output };
}

/** Closes the reader if it fails. */
function openWriter(path: string, reader: number): number {
  try {
    return openFifo(path, "write");
  } catch (error) {
    close(reader);
    throw error;
  }
}

/** Writes one line; while the FIFO's readers are slow, its senders are not read from. */
function forward(connection: Connection<Peer | undefined>, peer: Peer, line: Uint8Array): void {
  const { output } = peer.outlet;
  const room = output.write(Buffer.concat([line, Buffer.from("\n")]), (error) => {
    if (error !== undefined && error !== null) return connection.destroy(error);
    if (connection.writable) connection.write(`${++peer.written}\n`);
  });
  if (room || connection.paused) return;
  connection.pause();
  output.once("drain", () => connection.resume());
}
