// Which names are in which group at the other gateways, by their last marks. A question is answered
// at once from these, so an answer may be slightly old.

/** What a mark says about its sender's groups. */
export interface GroupNews {
  /** Whether these are all groups of the sender, or only those that changed. */
  readonly all: boolean;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** After this time without a mark of a gateway, its members are removed. */
const SILENT_MS = 5000;
/** After this time its place in the ledger is removed, too. */
const GONE_MS = 60_000;

interface Gateway {
  heardAtMs: number;
  groups: Map<string, readonly string[]>;
}

export class Directory {
  readonly #gateways = new Map<string, Gateway>();

  /** @param news null if the mark says only that its sender is there. */
  note(origin: string, news: GroupNews | null, nowMs: number): void {
    const known = this.#gateways.get(origin) ?? { heardAtMs: nowMs, groups: new Map() };
    known.heardAtMs = nowMs;
    if (news?.all) known.groups = new Map();
    for (const [group, names] of Object.entries(news?.groups ?? {})) {
      if (names.length > 0) known.groups.set(group, names);
      else known.groups.delete(group);
    }
    this.#gateways.set(origin, known);
  }

  membersOf(group: string, nowMs: number): string[] {
    return [...this.#gateways.values()]
      .filter(({ heardAtMs }) => nowMs - heardAtMs < SILENT_MS)
      .flatMap(({ groups }) => groups.get(group) ?? []);
  }

  /** Removes gateways that have been silent for too long. @returns their origins. */
  sweep(nowMs: number): string[] {
    const gone = [...this.#gateways]
      .filter(([, { heardAtMs }]) => nowMs - heardAtMs >= GONE_MS)
      .map(([origin]) => origin);
    for (const origin of gone) this.#gateways.delete(origin);
    return gone;
  }
}
