// The model of open files, pure: which numbers refer to them, which bytes wait to be read, and so
// what a wait should report.

export const FILE_KINDS = ["unix", "pipe", "unix", "tcp", "pipe", "fifo", "regular"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** What poll(2) would say of an open file. */
export interface Readiness {
  readonly input: boolean;
  readonly output: boolean;
  readonly hangup: boolean;
  readonly error: boolean;
  /** The peer sends no more. */
  readonly ended: boolean;
}

/** An open file description: open(2). Several numbers may name it: dup(2). */
export class OpenFile {
  readonly numbers = new Set<number>();
  peer: OpenFile | null = null;
  /** Bytes that wait to be read here. */
  unread = 0;
  /** What is written here has no room. */
  full = false;
  /** Its writing direction was shut down. */
  ended = false;
  /** Counts what was done to it or its peer. */
  changes = 0;

  constructor(
    readonly kind: FileKind,
    readonly reads: boolean,
    readonly writes: boolean,
  ) {}

  get isOpen(): boolean {
    return this.numbers.size > 0;
  }

  get isSocket(): boolean {
    return this.kind === "unix" || this.kind === "tcp";
  }

  change(): void {
    this.changes++;
    if (this.peer !== null) this.peer.changes++;
  }

  readiness(): Readiness {
    const { peer } = this;
    if (peer === null) return { ...NOTHING, input: true, output: true }; // a regular file: poll(2)
    const alone = !peer.isOpen;
    if (this.isSocket) {
      const ended = alone || peer.ended;
      const hangup = alone || (this.ended && peer.ended);
      return {
        input: this.unread > 0 || ended,
        output: !this.full || alone,
        hangup,
        error: false,
        ended,
      };
    }
    // pipe(7): a reader without writers hangs up, a writer without readers has an error.
    if (this.reads) return { ...NOTHING, input: this.unread > 0, hangup: alone, ended: alone };
    return { ...NOTHING, output: !this.full, error: alone };
  }
}

const NOTHING: Readiness = {
  input: false,
  output: false,
  hangup: false,
  error: false,
  ended: false,
};

/** Both ends of what was opened; a regular file has one. */
export function openFiles(kind: FileKind): OpenFile[] {
  if (kind === "regular") return [new OpenFile(kind, true, true)];
  const both = kind === "unix" || kind === "tcp";
  return connected(new OpenFile(kind, true, both), new OpenFile(kind, both, true));
}

/** A FIFO's next writer finds what the last one left. fifo(7) */
export function nextWriter(reader: OpenFile): OpenFile {
  const writer = new OpenFile("fifo", false, true);
  writer.full = reader.peer?.full ?? false;
  connected(reader, writer);
  return writer;
}

function connected(one: OpenFile, other: OpenFile): OpenFile[] {
  one.peer = other;
  other.peer = one;
  return [one, other];
}
