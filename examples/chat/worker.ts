// One worker of the arbiter: a broadcaster or a gateway.

import type { Announce } from "./announce.ts";
import { runBroadcaster } from "./broadcaster.ts";
import { runGateway } from "./gateway.ts";
import { stopWithParent } from "./lifeline.ts";

const kinds = { broadcaster: runBroadcaster, gateway: runGateway };
const announce: Announce = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const stop = new AbortController();
stopWithParent(stop);
const [kind = "", settings = "{}"] = process.argv.slice(2);
if (!Object.hasOwn(kinds, kind)) throw new Error(`${kind} is not one of ${Object.keys(kinds)}`);
await kinds[kind as keyof typeof kinds](JSON.parse(settings), announce, stop.signal);
stop.abort();
