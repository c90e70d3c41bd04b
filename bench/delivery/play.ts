// The program behind broadcast, event-delivery and replicas: plays one round.

import { playBroadcast } from "./broadcast/play-broadcast.ts";
import { playEventDelivery } from "./event-delivery.ts";
import { linesOf, type Play } from "./played.ts";
import { playReplicas } from "./replicas.ts";

const plays: Readonly<Record<string, Play>> = {
  broadcast: playBroadcast,
  "event-delivery": playEventDelivery,
  replicas: playReplicas,
};

const [workload = "", contender = "", settings = "{}"] = process.argv.slice(2);
const play = plays[workload];
if (play === undefined) {
  throw new Error(`${workload} is not one of ${Object.keys(plays).join(", ")}`);
}
for (const line of linesOf(await play(contender, JSON.parse(settings)))) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
