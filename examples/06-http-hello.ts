// An HTTP/1.1 server with one answer: requests may come in pieces or several at once, and keep
// their connection. Enters: a port, or none. Leaves: "Hello, world!"; 400 to bodies and riddles.
//   npm run build && node dist/examples/06-http-hello.js 8080    # and: curl http://127.0.0.1:8080/
import * as io from "../src/index.ts";

const REQUEST = /^(GET|HEAD) \S+ HTTP\/1\.([01])\b(?!.*\n(content-length|transfer-encoding))/is;
const CLOSE = /\r\nconnection:[^\r]*\bclose\b/i;
const HELLO = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, world!\n";
const BAD = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const reactor = new io.Reactor(new io.DefaultSelector());
const listener = io.listenTcp({ port: Number(process.argv[2] ?? 0) });
const buffer = Buffer.alloc(16 * 1024);

class Connection implements io.EventHandler {
  #begun = ""; // a request whose end has not come
  #unsent = new Uint8Array(0);
  #last = false; // what is unsent ends the connection
  onReadable(fd: number): void {
    const n = io.recv(fd, buffer);
    if (n > 0) this.#take(fd, this.#begun + buffer.toString("latin1", 0, n));
    else if (n !== -io.EAGAIN) reactor.removeHandler(fd);
  }
  onWritable = (fd: number): void => this.#send(fd, this.#unsent);
  onClose = io.close;
  #take(fd: number, text: string): void {
    const requests = text.split("\r\n\r\n");
    this.#begun = requests.pop() ?? "";
    if (this.#begun.length > buffer.length) requests.push("too long");
    const answers = requests.map((request) => (this.#last ? "" : this.#answer(request)));
    if (answers.length > 0) this.#send(fd, Buffer.from(answers.join(""), "latin1"));
  }
  #answer(request: string): string {
    const [, method, minor] = REQUEST.exec(request) ?? [];
    this.#last = method === undefined || minor === "0" || CLOSE.test(request);
    return method === undefined ? BAD : HELLO.slice(0, method === "GET" ? undefined : -14);
  }
  #send(fd: number, bytes: Uint8Array): void {
    const n = io.send(fd, bytes);
    const waited = this.#unsent.length > 0;
    this.#unsent = bytes.slice(Math.max(n, 0));
    if (n < 0 && n !== -io.EAGAIN) reactor.removeHandler(fd);
    else if (this.#unsent.length > 0) reactor.modify(fd, io.EVENT_WRITE);
    else if (this.#last) reactor.removeHandler(fd);
    else if (waited) reactor.modify(fd, io.EVENT_READ);
  }
}

function greet(): void {
  const fd = io.accept(listener);
  if (fd >= 0) reactor.registerHandler(fd, io.EVENT_READ, new Connection());
  if (fd >= 0 || fd === -io.EAGAIN) return;
  reactor.suspend(listener); // no descriptor is left until somebody goes
  reactor.setTimer(100, () => reactor.resume(listener));
}

reactor.registerHandler(listener, io.EVENT_READ, { onReadable: greet });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => reactor.stop());
console.log(`http://127.0.0.1:${io.localPort(listener)}/`);
await reactor.run();
