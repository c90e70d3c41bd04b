// The TypeScript contenders' executable: node serve.js ts:reactor-epoll. As
// native/echo_server/main.cc it prints a ready line, serves until SIGTERM or SIGINT, then prints a
// line of counters.

import { EpollSelector, PollSelector, SelectSelector } from "../../src/index.ts";
import { startBusyPollServer } from "./servers/busy-poll.ts";
import { Counters } from "./servers/counters.ts";
import { startNodeNetServer } from "./servers/node-net.ts";
import { startReactorServer } from "./servers/reactor.ts";
import type { Server } from "./servers/server.ts";

/** Descriptors that the select server takes: past FD_SETSIZE, which Linux allows. */
const FD_SET_SIZE = 1 << 20;

/** A strategy is one file in servers/ and one row here. */
const strategies: Readonly<Record<string, (counters: Counters) => Server | Promise<Server>>> = {
  "ts:busy-poll": startBusyPollServer,
  "ts:select": (counters) =>
    startReactorServer(new SelectSelector({ fdSetSize: FD_SET_SIZE }), counters),
  "ts:poll": (counters) => startReactorServer(new PollSelector(), counters),
  "ts:reactor-epoll": (counters) => startReactorServer(new EpollSelector(), counters),
  "node:net": startNodeNetServer,
};

async function main(name: string): Promise<number> {
  const start = Object.hasOwn(strategies, name) ? strategies[name] : undefined;
  if (start === undefined) {
    console.error(
      `serve: unknown contender "${name}"; one of: ${Object.keys(strategies).join(" ")}`,
    );
    return 2;
  }
  const counters = new Counters();
  const server = await start(counters);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => server.stop());
  process.stdout.write(
    `${JSON.stringify({ event: "ready", port: server.port, pid: process.pid })}\n`,
  );
  await server.done;
  process.stdout.write(`${JSON.stringify({ event: "counters", ...counters })}\n`);
  return 0;
}

process.exitCode = await main(process.argv[2] ?? "");
