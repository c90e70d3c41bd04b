// Figures from the sends and receipts of a block: latency to the last listener, losses. Pure.

/** One event as its sender recorded it. */
export interface Send {
  readonly event: number;
  readonly sequence: number;
  readonly atNs: number;
  /** How many took it, as the sender knows; null if it does not. */
  readonly taken: number | null;
}

/** One wake-up as a listener recorded it. */
export interface Receipt {
  readonly event: number;
  /** Null if no bytes came with it. */
  readonly sequence: number | null;
  readonly atNs: number;
}

export interface Deliveries {
  /** For each event that reached every listener: the time until the last one had it. */
  readonly lastNs: readonly number[];
  /** Pairs of an event and a listener. */
  readonly expected: number;
  readonly lost: number;
  readonly duplicated: number;
}

/** @param untilNs when later ones of its type began: from then on, what has no bytes is theirs. */
export function deliveriesOf(
  sends: readonly Send[],
  listeners: readonly (readonly Receipt[])[],
  untilNs = Number.POSITIVE_INFINITY,
): Deliveries {
  const arrivals = new Map(sends.map(({ sequence }) => [sequence, [] as number[]]));
  let received = 0;
  let duplicated = 0;
  for (const receipts of listeners) {
    const seen = new Set<number>();
    for (const receipt of receipts) {
      const theirs = receipt.sequence === null && receipt.atNs >= untilNs;
      const send = theirs ? undefined : sendOf(receipt, sends);
      if (send === undefined) continue;
      if (seen.has(send.sequence)) duplicated++;
      else {
        seen.add(send.sequence);
        received++;
        arrivals.get(send.sequence)?.push(receipt.atNs - send.atNs);
      }
    }
  }
  const expected = sends.length * listeners.length;
  const lastNs = [...arrivals.values()]
    .filter((latencies) => latencies.length === listeners.length)
    .map((latencies) => Math.max(...latencies));
  return { lastNs, expected, lost: expected - received, duplicated };
}

/** A receipt without bytes belongs to the newest event before it, as far as can be known. */
function sendOf({ event, sequence, atNs }: Receipt, sends: readonly Send[]): Send | undefined {
  if (sequence !== null) return sends.find((send) => send.sequence === sequence);
  return sends.findLast((send) => send.event === event && send.atNs <= atNs);
}
