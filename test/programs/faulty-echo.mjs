// An echo server with one fault, for the suite's own tests: node faulty-echo.mjs FAULT. Apart from
// the fault it behaves like a contender.

import { createServer } from "node:net";

const fault = process.argv[2] ?? "none";
/** More than there are connections: each may be tried out with a message before the load. */
const stopAfterMessages = 50;
let messages = 0;

/** What is done with bytes that arrived. */
const answers = {
  "exits-during-load": (socket, data) => {
    messages += 1;
    if (messages >= stopAfterMessages) {
      console.error("out of messages");
      process.exit(4);
    }
    socket.write(data);
  },
  "corrupts-a-byte": (socket, data) => {
    messages += 1;
    if (messages === stopAfterMessages) data[data.length - 1] ^= 1;
    socket.write(data);
  },
  "swallows-messages": (socket, data) => {
    messages += 1;
    if (messages < stopAfterMessages) socket.write(data);
  },
  "drops-connections": (socket, data) => {
    messages += 1;
    if (messages >= stopAfterMessages) socket.destroy();
    else socket.write(data);
  },
};

function crash(words, code) {
  process.stderr.write(words, () => process.exit(code));
}

function serve() {
  const answer = answers[fault] ?? ((socket, data) => socket.write(data));
  const server = createServer((socket) => {
    socket.on("data", (data) => answer(socket, data));
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    // Larger than any pid: PID_MAX_LIMIT of proc_sys_kernel(5).
    const pid = fault === "announces-no-process" ? 2 ** 22 + 1 : process.pid;
    console.log(JSON.stringify({ event: "ready", port, pid }));
  });
  process.on("SIGTERM", () => {
    if (fault === "ignores-sigterm") return;
    process.exit(fault === "fails-to-stop" ? 5 : 0);
  });
}

switch (fault) {
  case "crashes-at-start":
    crash("first words\n\u001b[31mlast words\u001b[0m\n", 3);
    break;
  case "floods-stderr":
    crash(`${"noise ".repeat(200_000)}\nthe end\n`, 3);
    break;
  case "never-ready":
    console.log('{"event":"ready","port":0,"pid":1}');
    console.log("not JSON");
    setInterval(() => {}, 1000);
    break;
  default:
    serve();
}
