// How far another host's monotonic clock is from ours, from exchanges of the time: the one with the
// least round-trip time bounds the error best (RFC 5905, clock filter algorithm). Pure.

/** One exchange. All times are nanoseconds of CLOCK_MONOTONIC, ours or theirs. */
export interface Exchange {
  readonly sentNs: number;
  readonly theirReceivedNs: number;
  readonly theirSentNs: number;
  readonly receivedNs: number;
  /** Their clock that goes on while the machine sleeps: CLOCK_BOOTTIME. */
  readonly theirBootNs: number;
}

interface ClockEstimate {
  /** Theirs minus ours. */
  readonly offsetNs: number;
  /** The offset is off by half of this at most. */
  readonly roundTripNs: number;
}

/** Clocks drift by up to 50 millionths: 0.25 ms in this time. */
const youngNs = 5e9;
const mostKept = 64;
/** Time between reading the two clocks of a host; more is a suspension. */
const suspendedNs = 50e6;
/** As fast as adjtimex(2) lets a clock run away, in both hosts. */
const mostDrift = 1e-3;

export class HostClock {
  #exchanges: Exchange[] = [];
  #suspendedNs = 0;

  add(exchange: Exchange): void {
    const before = this.#exchanges.at(-1);
    if (before !== undefined) {
      const slept = sleptNs(exchange) - sleptNs(before);
      const stood = slept > suspendedNs;
      if (stood) this.#suspendedNs += slept;
      // One of the clocks stood still: nothing from before says where it is now.
      if (stood || areApart(before, exchange)) this.#exchanges = [];
    }
    this.#exchanges.push(exchange);
    if (this.#exchanges.length > mostKept) this.#exchanges.shift();
  }

  /** How long the host has slept since the first exchange. */
  get suspendedNs(): number {
    return this.#suspendedNs;
  }

  /** @throws {RangeError} before the first exchange. */
  get estimate(): ClockEstimate {
    const last = this.#exchanges.at(-1);
    if (last === undefined) throw new RangeError("no exchange of the time yet");
    const young = this.#exchanges.filter(
      ({ receivedNs }) => last.receivedNs - receivedNs < youngNs,
    );
    const best = young.reduce((one, other) =>
      roundTripOf(other) < roundTripOf(one) ? other : one,
    );
    return { offsetNs: offsetOf(best), roundTripNs: roundTripOf(best) };
  }

  /** The latest round trip, which says more about the next message than the best one. */
  get lastRoundTripNs(): number {
    const last = this.#exchanges.at(-1);
    return last === undefined ? 0 : last.receivedNs - last.sentNs;
  }

  /** Our instant on their clock, whole nanoseconds. */
  toTheirs(ourNs: number): number {
    return Math.round(ourNs + this.estimate.offsetNs);
  }

  toOurs(theirNs: number): number {
    return theirNs - this.estimate.offsetNs;
  }
}

function roundTripOf({ sentNs, receivedNs, theirReceivedNs, theirSentNs }: Exchange): number {
  return receivedNs - sentNs - (theirSentNs - theirReceivedNs);
}

/** Whether the clocks moved against each other by more than delays and drift explain. */
function areApart(before: Exchange, after: Exchange): boolean {
  const movedNs = Math.abs(offsetOf(after) - offsetOf(before));
  const delaysNs = (roundTripOf(before) + roundTripOf(after)) / 2;
  return movedNs > delaysNs + mostDrift * (after.receivedNs - before.receivedNs);
}

function offsetOf({ sentNs, receivedNs, theirReceivedNs, theirSentNs }: Exchange): number {
  return (theirReceivedNs + theirSentNs) / 2 - (sentNs + receivedNs) / 2;
}

function sleptNs({ theirBootNs, theirSentNs }: Exchange): number {
  return theirBootNs - theirSentNs;
}
