// A TCP proxy: forwards every connection to one host, at the pace of the slower side.
//
//   npm run build && node dist/examples/11-proxy.js localhost 80 8080

import { connect, pipeBoth, serve } from "../src/index.ts";

const [host = "localhost", port = "80", ownPort = "0"] = process.argv.slice(2);
const upstream = { host, port: Number(port), timeoutMs: 5000, allowHalfOpen: true };
const server = serve(
  { port: Number(ownPort), allowHalfOpen: true },
  {
    open(client) {
      const fail = (error: Error) => client.destroy(error);
      connect(upstream)
        .then((connection) => pipeBoth(client, connection))
        .catch(fail);
    },
    close: (_client, error) => error !== null && console.error(`proxy: ${error.message}`),
  },
);
console.log(`proxy on port ${server.address?.port}`);
