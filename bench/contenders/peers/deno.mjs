// peer:deno: Deno.listen, an async function for each connection. It reads again when its write has
// completed, so at most one read per connection is in memory.

const READ_BUFFER_BYTES = 16 * 1024;
const open = new Set();
const counters = {
  bytesReceived: 0,
  bytesSent: 0,
  connectionsAccepted: 0,
  connectionsClosed: 0,
};

async function echo(connection) {
  const bytes = new Uint8Array(READ_BUFFER_BYTES);
  try {
    connection.setNoDelay(true);
    for (let size = await connection.read(bytes); size !== null; ) {
      counters.bytesReceived += size;
      for (let at = 0; at < size; ) {
        const sent = await connection.write(bytes.subarray(at, size));
        counters.bytesSent += sent;
        at += sent;
      }
      size = await connection.read(bytes);
    }
  } catch {
    // Reset by the peer, or closed by the end of this server.
  }
  if (open.delete(connection)) connection.close();
  counters.connectionsClosed++;
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
let ended = false;
function stop() {
  ended = true;
  listener.close();
  for (const connection of open) connection.close();
  open.clear();
  for (const signal of ["SIGTERM", "SIGINT"]) Deno.removeSignalListener(signal, stop);
}

for (const signal of ["SIGTERM", "SIGINT"]) Deno.addSignalListener(signal, stop);
const { port } = listener.addr;
console.log(JSON.stringify({ event: "ready", port, pid: Deno.pid }));
const served = new Set();
while (!ended) {
  try {
    const connection = await listener.accept();
    counters.connectionsAccepted++;
    open.add(connection);
    const task = echo(connection).finally(() => served.delete(task));
    served.add(task);
  } catch (error) {
    // Deno asks a new connection for its addresses, and drops one that was reset meanwhile. For any
    // other error (no descriptor is left) it tries again a little later. Or it is the end.
    const wasReset = error instanceof Deno.errors.NotConnected;
    if (!ended && !wasReset) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
await Promise.all(served);
console.log(JSON.stringify({ event: "counters", ...counters }));
