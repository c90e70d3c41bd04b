// An HTTP/1.1 server with one response. Requests may arrive in pieces or several at once; their
// connection stays open. Bodies and malformed requests get a 400.
//   npm run build && node dist/examples/06-http-hello.js 8080    # and: curl http://127.0.0.1:8080/
import { serve } from "../src/index.ts";

const REQUEST = /^(GET|HEAD) \S+ HTTP\/1\.([01])\b(?!.*\n(content-length|transfer-encoding))/is;
const CLOSE = /\r\nconnection:[^\r]*\bclose\b/i;
const HELLO = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, world!\n";
const BAD = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const LONGEST_BYTES = 16 * 1024;

const server = serve<string>(
  { port: Number(process.argv[2] ?? 0), idleTimeoutMs: 60_000 },
  {
    open(connection) {
      connection.data = ""; // the beginning of a request whose end has not arrived
    },
    data(connection, bytes) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
      const requests = (connection.data + text).split("\r\n\r\n");
      connection.data = requests.pop() ?? "";
      if (connection.data.length > LONGEST_BYTES) requests.push("too long");
      let responses = "";
      for (const request of requests) {
        const [, method, minor] = REQUEST.exec(request) ?? [];
        if (method === undefined) responses += BAD;
        else responses += method === "GET" ? HELLO : HELLO.slice(0, -14);
        if (method !== undefined && minor === "1" && !CLOSE.test(request)) continue;
        connection.end(responses);
        connection.setHandlers({ data() {} }); // discards bytes that still arrive
        return;
      }
      connection.write(responses);
    },
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close({ connections: "destroy" }));
}
console.log(`http://127.0.0.1:${server.address?.port}/`);
