// One block: a sender, and processes of which half wait for the event that it sends.

import { setTimeout as delay } from "node:timers/promises";
import { stealNs } from "../host/usage.ts";
import { type Deliveries, deliveriesOf, type Receipt, type Send } from "./figures.ts";
import type { ListenerSettings } from "./listener.ts";
import { Peer } from "./peers.ts";
import { difference } from "./played.ts";
import type { Order, SenderSettings } from "./sender.ts";
import type { MeetingPlace, Way } from "./way.ts";

export interface SceneScale {
  /** Processes, at least 2; half of them wait for what is sent. */
  readonly processes: number;
  /** Events of each kind of sending. */
  readonly events: number;
  readonly gapMs: number;
  /** As many events before, a millisecond apart. */
  readonly warmupMs: number;
}

export interface Block {
  readonly listeners: number;
  /** One event after another, with time between: each can be dealt with before the next. */
  readonly paced: Deliveries;
  /** All at once. */
  readonly burst: Deliveries;
  /** From the first event that counts to the end. */
  readonly durationNs: number;
  /** CPU time that the hypervisor took meanwhile; null if not available. */
  readonly stealNs: number | null;
  /** What the sender learned about an event that no process waits for. */
  readonly unheard: number | null;
  /** CPU time per event, ns; null if not available. */
  readonly cpuNs: {
    /** A process that was not waiting for the event. */
    readonly other: number | null;
    /** A process that was waiting for it. */
    readonly listener: number | null;
    readonly sender: number | null;
    /** The sender, per additional listener. */
    readonly senderPerListener: number | null;
  };
}

/** The events: for half of the processes, for the other half, for one process, for none. */
const SENT = 0;
const OTHER = 1;
const LONELY = 2;
const UNHEARD = 3;
const EVENTS = 4;
/** What is under way arrives, also on a machine that is busy with something else. */
const SETTLE_MS = 40;

/** @param folder empty, and for it alone. */
export async function playBlock(way: Way, scale: SceneScale, folder: string): Promise<Block> {
  const scene = new Scene(way, await way.prepare(folder, EVENTS), scale);
  try {
    await scene.open();
    return await scene.play();
  } finally {
    await scene.close();
  }
}

interface Passage {
  readonly sends: readonly Send[];
  readonly cpuNs: ReadonlyMap<Peer, number | null>;
}

class Scene {
  readonly #way: Way;
  readonly #place: MeetingPlace;
  readonly #scale: SceneScale;
  readonly #listening: Peer[] = [];
  readonly #others: Peer[] = [];
  #sender: Peer | null = null;

  constructor(way: Way, place: MeetingPlace, scale: SceneScale) {
    this.#way = way;
    this.#place = place;
    this.#scale = scale;
  }

  get #listeners(): Peer[] {
    return [...this.#listening, ...this.#others];
  }

  async open(): Promise<void> {
    const { processes } = this.#scale;
    const half = Math.ceil(processes / 2);
    for (let i = 0; i < processes; i++) {
      const events = i >= half ? [OTHER] : i === 0 ? [SENT, LONELY] : [SENT];
      const settings: ListenerSettings = { way: this.#way.name, place: this.#place, events };
      (i < half ? this.#listening : this.#others).push(
        new Peer("bench/delivery/listener", [JSON.stringify(settings)]),
      );
    }
    const pids = this.#listeners.map(({ pid }) => pid);
    const settings: SenderSettings = {
      way: this.#way.name,
      place: { ...this.#place, pids },
      pairs: processes + 1,
    };
    this.#sender = new Peer("bench/delivery/sender", [JSON.stringify(settings)]);
    for (const peer of [...this.#listeners, this.#sender]) await peer.hear();
  }

  async play(): Promise<Block> {
    const { events: count, gapMs, warmupMs } = this.#scale;
    await this.#send({ event: SENT, count: warmupMs, gapMs: 1 });
    const [fromNs, stolenNs] = [process.hrtime.bigint(), stealNs()];
    const paced = await this.#send({ event: SENT, count, gapMs });
    const lonely = await this.#send({ event: LONELY, count, gapMs });
    const [unheard] = await this.#emit({ event: UNHEARD, count: 1, gapMs });
    const burst = await this.#send({ event: SENT, count, gapMs: 0 });
    const durationNs = Number(process.hrtime.bigint() - fromNs);
    const stolen = difference(stolenNs, stealNs());
    const receipts = await this.#reports();
    const more = this.#listening.length - 1;
    const each = (peers: readonly Peer[], passage: Passage) =>
      perEvent(peers, passage.cpuNs, count * peers.length);
    const sender = this.#sender === null ? [] : [this.#sender];
    const [forAll, forOne] = [each(sender, paced), each(sender, lonely)];
    return {
      listeners: this.#listening.length,
      durationNs,
      stealNs: stolen,
      paced: deliveriesOf(paced.sends, receipts, burst.sends[0]?.atNs),
      burst: deliveriesOf(burst.sends, receipts),
      unheard: unheard?.taken ?? null,
      cpuNs: {
        other: each(this.#others, paced),
        listener: each(this.#listening, paced),
        sender: forAll,
        senderPerListener: growth(forOne, forAll, more),
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners, this.#sender].map((peer) => peer?.kill()));
  }

  /** Sends, and lets it arrive. */
  async #send(order: Order): Promise<Passage> {
    const peers = [...this.#listeners, this.#sender].filter((peer) => peer !== null);
    const before = peers.map((peer) => peer.cpuNs());
    const sends = await this.#emit(order);
    await delay(SETTLE_MS);
    const used = peers.map((peer, i): [Peer, number | null] => {
      const [from, until] = [before[i] ?? null, peer.cpuNs()];
      return [peer, difference(from, until)];
    });
    return { sends, cpuNs: new Map(used) };
  }

  async #emit(order: Order): Promise<Send[]> {
    this.#sender?.ask(order);
    return (await this.#sender?.hear<Send[]>(order.count * order.gapMs)) ?? [];
  }

  #reports(): Promise<Receipt[][]> {
    for (const peer of this.#listening) peer.ask({});
    return Promise.all(this.#listening.map((peer) => peer.hear<Receipt[]>()));
  }
}

/** 0 if it is lost in the noise: discarding such blocks would bias the rest upwards. */
function growth(one: number | null, all: number | null, more: number): number | null {
  return one === null || all === null || more === 0 ? null : Math.max(0, all - one) / more;
}

function perEvent(
  peers: readonly Peer[],
  cpuNs: ReadonlyMap<Peer, number | null>,
  events: number,
): number | null {
  let sum = 0;
  for (const peer of peers) {
    const used = cpuNs.get(peer) ?? null;
    if (used === null) return null;
    sum += used;
  }
  return events === 0 ? null : sum / events;
}
