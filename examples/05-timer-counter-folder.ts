// Waits, in one blocking call, for a timer, for a counter to which another thread could add, and
// for changes in folders, until the timer has expired twice. Linux.
// timerfd_create(2), eventfd(2), inotify(7)
//
//   npm run build && node dist/examples/05-timer-counter-folder.js /tmp /var/tmp

import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";

const folders = process.argv.length > 2 ? process.argv.slice(2) : ["."];
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

const watch = io.openInotify();
const CHANGES = io.IN.CREATE | io.IN.DELETE | io.IN.MOVE | io.IN.CLOSE_WRITE;
const folderOf = new Map(
  folders.map((folder) => [io.addInotifyWatch(watch, folder, CHANGES | io.IN.ONLYDIR), folder]),
);
selector.register(watch, io.EVENT_READ, () => {
  const n = check("read", io.read(watch, buffer));
  for (const { watch: number, mask, name } of io.decodeInotify(buffer, n)) {
    if ((mask & io.IN.Q_OVERFLOW) !== 0) console.log("changes were lost: look at all folders");
    else if ((mask & io.IN.IGNORED) !== 0) console.log(`gone: ${folderOf.get(number)}`);
    else console.log(`changed: ${name} in ${folderOf.get(number)}`);
  }
});

console.log(`watching ${folders.join(", ")}`);
while (expirations < 2) for (const { key } of selector.select()) key.data?.();
selector.close();
for (const fd of [timer, counter, watch]) check("close", io.close(fd));

function check(call: string, answer: number): number {
  if (answer < 0) throw new Error(`${call}: ${getSystemErrorName(answer)}`);
  return answer;
}
