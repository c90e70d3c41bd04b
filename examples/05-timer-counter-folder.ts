// One blocking wait for three things that are no streams: a timer, a counter that another thread
// could add to, and the changes in a folder. Enters: a folder. Leaves: a line for each that comes,
// until the timer has come twice. Linux. timerfd_create(2), eventfd(2), inotify(7)
//
//   npm run build && node dist/examples/05-timer-counter-folder.js /tmp

import { endianness } from "node:os";
import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";

const HEAD_BYTES = 16; // struct inotify_event: wd, mask, cookie, len, each 32 bits; then the name
const LENGTH_AT = 12;

const folder = process.argv[2] ?? ".";
const selector = new io.DefaultSelector<() => void>();
const buffer = new Uint8Array(4096);

const timer = io.openTimer(500, 500);
let expirations = 0;
selector.register(timer, io.EVENT_READ, () => {
  expirations += check("read", io.readTimer(timer));
  console.log(`the timer has expired ${expirations} times`);
});

const counter = io.eventfd();
selector.register(counter, io.EVENT_READ, () => {
  console.log(`the counter was at ${check("read", io.readEventfd(counter))}`);
});
check("write", io.writeEventfd(counter, 3));
check("write", io.writeEventfd(counter, 4));

const watch = io.watchDirectory(folder);
selector.register(watch, io.EVENT_READ, () => {
  const n = check("read", io.read(watch, buffer));
  const view = new DataView(buffer.buffer, 0, n);
  for (let at = 0; at < n; ) {
    const length = view.getUint32(at + LENGTH_AT, endianness() === "LE");
    const name = buffer.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    console.log(`changed: ${new TextDecoder().decode(name).replace(/\0+$/, "")}`);
    at += HEAD_BYTES + length;
  }
});

console.log(`watching ${folder}`);
while (expirations < 2) for (const { key } of selector.select()) key.data?.();
selector.close();
for (const fd of [timer, counter, watch]) check("close", io.close(fd));

function check(call: string, answer: number): number {
  if (answer < 0) throw new Error(`${call}: ${getSystemErrorName(answer)}`);
  return answer;
}
