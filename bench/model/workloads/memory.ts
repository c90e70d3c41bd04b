// memory: bytes per connection, as the slope over several connection counts in one round, which
// excludes the fixed memory of the process. The connections of the scale are the last count. Both
// ends are on this machine, so the kernel's share covers both.

import { everyConnection, only, type Workload } from "./workload.ts";

const shares = [0.1, 0.5, 1];

export const memory = {
  name: "memory",
  answers: "bytes per connection: the server's own, and the kernel's for both ends",
  title: "Memory per connection",
  lead:
    "The slope over several connection counts, which excludes the fixed memory of a process: " +
    "the server's own memory, and the kernel's for both ends of the connection.",
  charts: ["userBytesPerConnection", "kernelBytesPerConnection"],
  regime: "memory",
  headline: "userBytesPerConnection",
  metrics: ["kernelBytesPerConnection", "clientBytesPerConnection", "serverMemory"],
  // Noise takes time, not memory.
  rules: [],
  comparesToReference: true,
  loads: (scale) => {
    const counts = shares.map((share) => Math.max(1, Math.round(scale.connections * share)));
    return only({ mode: "memory", ...everyConnection(scale), stages: [...new Set(counts)] });
  },
} as const satisfies Workload;
