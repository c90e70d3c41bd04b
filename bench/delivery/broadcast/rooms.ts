// The broadcast servers, one row each: a new one is one file and one row here.

import { nodeNetRoom } from "./node-net.ts";
import { reactorRoom } from "./reactor.ts";
import type { BroadcastServer } from "./room.ts";
import { threadRoom } from "./threads.ts";

export const rooms: readonly BroadcastServer[] = [reactorRoom, nodeNetRoom, threadRoom];
