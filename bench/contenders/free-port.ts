// A port for a server that has to be given one before it listens.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** @returns a TCP port of 127.0.0.1 that was free a moment ago; another program may take it. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
