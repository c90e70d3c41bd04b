// Who is in which group at the other gateways, as they last said. Enters: marks. Leaves: names.
// What is asked is answered at once, from what is known: it may be a moment old.

/** A gateway that has not been heard for so long takes its members with it. */
const SILENT_MS = 5000;
/** And for so long, its place in the ledger. */
const GONE_MS = 60_000;

interface Gateway {
  heardAtMs: number;
  groups: Record<string, readonly string[]>;
}

export class Directory {
  readonly #gateways = new Map<string, Gateway>();

  /** @param groups null where it only said that it is there. */
  note(origin: string, groups: Record<string, readonly string[]> | null, nowMs: number): void {
    const known = this.#gateways.get(origin) ?? { heardAtMs: nowMs, groups: {} };
    known.heardAtMs = nowMs;
    if (groups !== null) known.groups = groups;
    this.#gateways.set(origin, known);
  }

  membersOf(group: string, nowMs: number): string[] {
    return [...this.#gateways.values()]
      .filter(({ heardAtMs }) => nowMs - heardAtMs < SILENT_MS)
      .flatMap(({ groups }) => (Object.hasOwn(groups, group) ? (groups[group] ?? []) : []));
  }

  /** Forgets who is not coming back. @returns their origins. */
  sweep(nowMs: number): string[] {
    const gone = [...this.#gateways]
      .filter(([, { heardAtMs }]) => nowMs - heardAtMs >= GONE_MS)
      .map(([origin]) => origin);
    for (const origin of gone) this.#gateways.delete(origin);
    return gone;
  }
}
