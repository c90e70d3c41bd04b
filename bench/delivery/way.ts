// A way to deliver an event: what a listener does, what the sender does, what it can hold.

import { close } from "../../src/index.ts";

/** What the sender learns from a delivery. */
type Known = "nothing" | "whether any process listened" | "how many received it";

export interface Way {
  /** `mechanism:variant`. */
  readonly name: string;
  readonly known: Known;
  /** Who gets the message's bytes; the rest only learn that there was an event. */
  readonly bytesReach: "all" | "one";
  /** Whether processes that wait for something else are woken, too. */
  readonly wakesOthers: boolean;
  /** How many possible event types, and what bounds them. */
  readonly holds: string;
  /** Why this machine cannot use it; null if it can. Asked first. */
  refusal?(): Promise<string | null>;
  /** Creates what must exist before any process listens. */
  prepare(folder: string, events: number): MeetingPlace | Promise<MeetingPlace>;
  /** In a listener's process: waits for these events from now on. */
  listen(place: MeetingPlace, events: readonly number[], onEvent: OnEvent): void | Promise<void>;
  /** In the sender's process. */
  open(place: MeetingPlace): Sender | Promise<Sender>;
  /** Makes places for so many event types. @returns how many there was room for. */
  hold(folder: string, events: number): number | Promise<number>;
}

/** Where sender and listeners meet. Travels as JSON. */
export interface MeetingPlace {
  readonly folder: string;
  /** One for each event, where the way has ports. */
  readonly ports?: readonly number[];
  readonly endpoint?: string;
  /** The listeners' processes, known to the sender only. */
  readonly pids?: readonly number[];
}

/** @param sequence the event's number as the message says it; null if no bytes came. */
export type OnEvent = (event: number, sequence: number | null) => void;

export interface Sender {
  /** Waits until it knows of so many pairs of a listener and an event, where it has to know. */
  untilHeard?(pairs: number): Promise<void>;
  /** @returns how many received it; null if the way does not know. */
  emit(event: number, sequence: number): number | null | Promise<number | null>;
  close(): void;
}

/** How many of these can be made until no room, descriptor or port is left. */
export function howMany(events: number, make: (event: number) => unknown): number {
  for (let event = 0; event < events; event++) {
    try {
      make(event);
    } catch {
      return event;
    }
  }
  return events;
}

/** How many sockets can be opened, which are closed again. */
export function howManySockets(events: number, open: (event: number) => number): number {
  const sockets: number[] = [];
  const held = howMany(events, (event) => sockets.push(open(event)));
  for (const socket of sockets) close(socket);
  return held;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeEvent(event: number, sequence: number): Uint8Array {
  return encoder.encode(`${event} ${sequence}\n`);
}

/** The events in some bytes: more than one where they ran together. */
export function decodeEvents(bytes: Uint8Array): { event: number; sequence: number }[] {
  const lines = decoder.decode(bytes).split("\n").slice(0, -1);
  return lines.map((line) => {
    const [event, sequence] = line.split(" ");
    return { event: Number(event), sequence: Number(sequence) };
  });
}
