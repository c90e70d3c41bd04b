// scale: as many connections as a machine can hold, each of which echoes when it is opened; then
// messages sweep over all of them. Gives the memory per connection (server, load generator and
// kernel separately), the rate of connecting, and whether all end cleanly.

import { only, openLoad, type Workload } from "./workload.ts";

export const scale = {
  name: "scale",
  answers: "whether a server can hold this many connections, and what each costs",
  title: "As many as the machine holds",
  lead: "Every connection echoes when it is opened; then messages sweep over all of them.",
  charts: ["userBytesPerConnection", "kernelBytesPerConnection", "latencyP99", "acceptsPerSecond"],
  regime: "scale",
  headline: "userBytesPerConnection",
  metrics: [
    "kernelBytesPerConnection",
    "clientBytesPerConnection",
    "serverMemory",
    "clientMemory",
    "kernelMemory",
    "acceptsPerSecond",
    "serverCpuPerMessage",
    "serverCpuPercent",
    "throughput",
    "latencyP50",
    "latencyP99",
    "latencyP999",
  ],
  // Held or not held: noise only takes time.
  rules: [],
  samplesMemory: true,
  loads: (size) => only({ ...openLoad(size, "scale"), schedule: "fixed" }),
} as const satisfies Workload;
