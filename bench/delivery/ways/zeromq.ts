// ZeroMQ publish and subscribe: the event is the topic, and the publisher's library sends only to
// the listeners that have subscribed to it. https://rfc.zeromq.org/spec/29/

import { join } from "node:path";
import type { Way } from "../way.ts";
import { zeromqRefusal } from "../zeromq.ts";

/** Loaded by those processes only that use it. */
const library = () => import("zeromq");

/** So that topic 1 is not the beginning of topic 10. */
const topicOf = (event: number) => `${event}.`;

export const zeromq: Way = {
  name: "zeromq:pub-sub",
  known: "nothing",
  bytesReach: "all",
  wakesOthers: false,
  holds: "as many topics as memory has room for; only those with subscribers cost the publisher",

  refusal: zeromqRefusal,

  prepare: (folder) => ({ folder, endpoint: `ipc://${join(folder, "publisher")}` }),

  async listen({ endpoint = "" }, events, onEvent) {
    const { Subscriber } = await library();
    const subscriber = new Subscriber({ linger: 0, reconnectInterval: 10 });
    subscriber.connect(endpoint);
    for (const event of events) subscriber.subscribe(topicOf(event));
    const watch = async () => {
      for await (const [topic, sequence] of subscriber) {
        onEvent(Number.parseInt(topic?.toString() ?? "", 10), Number(sequence?.toString()));
      }
    };
    void watch();
  },

  async open({ endpoint = "" }) {
    const { XPublisher } = await library();
    const publisher = new XPublisher({ linger: 0, verbosity: "allSubs" });
    await publisher.bind(endpoint);
    return {
      async untilHeard(pairs) {
        // Before a subscription has arrived, what is published is not for that subscriber.
        for (let heard = 0; heard < pairs; heard++) await publisher.receive();
      },
      async emit(event, sequence) {
        await publisher.send([topicOf(event), `${sequence}`]);
        return null;
      },
      close: () => publisher.close(),
    };
  },

  async hold(folder, events) {
    const { XPublisher, XSubscriber } = await library();
    const endpoint = `ipc://${join(folder, "held")}`;
    const publisher = new XPublisher({ linger: 0 });
    // Its subscriptions are messages: those of the other kind are lost beyond its high-water mark.
    const subscriber = new XSubscriber({ linger: 0 });
    await publisher.bind(endpoint);
    subscriber.connect(endpoint);
    for (let event = 0; event < events; event++) {
      await subscriber.send(`\u0001${topicOf(event)}`);
      await publisher.receive(); // its word of the new topic
    }
    publisher.close();
    subscriber.close();
    return events;
  },
};
