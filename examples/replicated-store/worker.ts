// One process of the store: broker, writer or reader. It prints events as JSON lines, and ends with
// its parent.

import { stopWithParent } from "../chat/lifeline.ts";
import { runBroker } from "./broker.ts";
import { runReader } from "./reader.ts";
import { runWriter } from "./writer.ts";

const roles = { broker: runBroker, writer: runWriter, reader: runReader };

const stop = new AbortController();
stopWithParent(stop);
const [role = "", settings = "{}"] = process.argv.slice(2);
if (!Object.hasOwn(roles, role)) throw new Error(`${role} is not one of ${Object.keys(roles)}`);
const announce = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
await roles[role as keyof typeof roles](JSON.parse(settings), announce, stop.signal);
stop.abort();
