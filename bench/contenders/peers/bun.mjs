// peer:bun: Bun.listen. Bytes that a write did not take are kept, and the socket is paused until
// they are out.

let received = 0;
let sent = 0;
let accepted = 0;
let closed = 0;
const open = new Set();

function send(socket, bytes) {
  const taken = Math.max(0, socket.write(bytes));
  sent += taken;
  socket.data.rest = taken < bytes.length ? bytes.subarray(taken) : null;
}

const server = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  data: null,
  socket: {
    open(socket) {
      accepted++;
      open.add(socket);
      socket.data = { rest: null, ended: false };
      socket.setNoDelay(true);
    },
    data(socket, bytes) {
      received += bytes.length;
      const { rest } = socket.data;
      if (rest !== null) {
        socket.data.rest = Buffer.concat([rest, bytes]);
        return;
      }
      send(socket, bytes);
      // The buffer is reused by the next event.
      if (socket.data.rest === null) return;
      socket.data.rest = Buffer.from(socket.data.rest);
      socket.pause();
    },
    drain(socket) {
      if (socket.data.rest !== null) send(socket, socket.data.rest);
      if (socket.data.rest !== null) return;
      if (socket.data.ended) socket.end();
      else socket.resume();
    },
    end(socket) {
      socket.data.ended = true;
      if (socket.data.rest === null) socket.end();
    },
    close(socket) {
      open.delete(socket);
      closed++;
    },
    error(socket) {
      socket.terminate();
    },
  },
});

function stop() {
  server.stop();
  for (const socket of open) socket.terminate();
  const counters = { bytesReceived: received, bytesSent: sent };
  const connections = { connectionsAccepted: accepted, connectionsClosed: closed };
  console.log(JSON.stringify({ event: "counters", ...counters, ...connections }));
  process.exitCode = 0;
  for (const signal of ["SIGTERM", "SIGINT"]) process.off(signal, stop);
}

for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, stop);
console.log(JSON.stringify({ event: "ready", port: server.port, pid: process.pid }));
