// A TCP server that sends back what it receives. Bytes that a slow peer does not take are queued up
// to a limit, and the server stops reading from that peer until it has taken them. If no descriptor
// is left, accepting pauses.
//
//   npm run build && node dist/examples/02-echo-server.js 7000        # and: nc 127.0.0.1 7000

import { serve } from "../src/index.ts";

const server = serve(
  { port: Number(process.argv[2] ?? 0) },
  {
    data(connection, bytes) {
      connection.write(bytes);
    },
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close({ connections: "destroy" }));
}
console.log(`echo on port ${server.address?.port}`);
