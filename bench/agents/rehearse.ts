// node dist/bench/agents/rehearse.js [AGENTS] [WINDOWS]: the coordination of many agents, as
// processes of this machine that hold one connection each, to show what the coordinator itself
// costs. The load is small on purpose: a hundred generators share these CPUs.

import { deferred } from "../host/deadline.ts";
import { packagePaths } from "../paths.ts";
import { median } from "../statistics/quantile.ts";
import { FleetHost } from "./fleet-host.ts";

const [agents = 100, windows = 20] = process.argv.slice(2).map(Number);
const windowMs = 100;
const paths = packagePaths();

const beganMs = performance.now();
const plan = {
  agents: Array.from({ length: agents }, () => "local"),
  server: "local",
  serverAddress: null,
  sshConfig: null,
};
const host = await FleetHost.open(plan, { paths });
const openedMs = performance.now();
try {
  const durations = await measure();
  const { user, system } = durations.cpu;
  const perWindow = (user + system) / 1000 / windows;
  const { startSkewMs, clockUncertaintyMs, faults } = host.facts;
  const report = {
    agents,
    windows,
    openMs: openedMs - beganMs,
    /** From the command to the merged line, beyond the window itself. */
    overheadMs: median(durations.windowsMs) - windowMs,
    coordinatorCpuMsPerWindow: perWindow,
    startSkewMs,
    clockUncertaintyMs,
    faults,
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
} finally {
  await host.close();
}

async function measure() {
  const ready = deferred<string>();
  host.start([paths.echoServer, "--strategy", "reactor-epoll"], { onLine: ready.resolve });
  const { port, pid } = JSON.parse(await ready.promise) as {
    readonly port: number;
    readonly pid: number;
  };
  let hear: () => void = () => {};
  const args = { port, "server-pid": pid, connections: agents, rate: agents };
  const own = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const load = host.start([paths.loadGenerator, "hold", ...own], {
    input: true,
    onLine: () => hear(),
  });
  const line = () =>
    new Promise<void>((resolve) => {
      hear = resolve;
      void load.exited.then(() => resolve());
    });
  await line();
  const before = process.cpuUsage();
  const windowsMs: number[] = [];
  for (let i = 0; i < windows; i++) {
    const startedMs = performance.now();
    load.send(`window ms=${windowMs} settle-ms=0 drain-ms=50`);
    await line();
    windowsMs.push(performance.now() - startedMs);
  }
  const cpu = process.cpuUsage(before);
  load.send("end");
  await load.exited;
  return { windowsMs, cpu };
}
