// What clients ask and servers answer, as JSON in the last frame of a message. The frames before it
// are ZeroMQ's envelope, which a server sends back unchanged. https://rfc.zeromq.org/spec/28/

export type Question =
  | { readonly op: "get"; readonly key: string }
  | { readonly op: "put"; readonly key: string; readonly value: string }
  | { readonly op: "delete"; readonly key: string };

export interface Answer {
  /** Of the store that answered, or that the change made. */
  readonly version: number;
  /** Of a get; null if there is no such key. */
  readonly value?: string | null;
  readonly error?: string;
}

/** A change that is on disk. Published in two frames, the key and this as JSON. */
export interface Change {
  /** Of the store with it. A gap means that the subscriber missed some, and has to read again. */
  readonly version: number;
  readonly key: string;
  /** Null if the key was deleted. */
  readonly value: string | null;
}

/**
 * A question as a client sends it: the operation in a frame of its own, which the address of both
 * kinds routes by and removes. At the other addresses it is a part of the envelope.
 */
export function framesOf(question: Question): string[] {
  return [question.op, JSON.stringify(question)];
}

/** The answer in the frames that a client receives. */
export function openAnswer(frames: readonly Buffer[]): Answer {
  return JSON.parse(frames.at(-1)?.toString() ?? "");
}

/** A question with the way back. */
export interface Letter {
  readonly envelope: readonly Buffer[];
  /** Null if it cannot be understood. */
  readonly question: Question | null;
}

export function openLetter(frames: readonly Buffer[]): Letter {
  const envelope = frames.slice(0, -1);
  try {
    const { op, key, value } = JSON.parse(frames.at(-1)?.toString() ?? "");
    const known = op === "get" || op === "delete" || (op === "put" && typeof value === "string");
    return { envelope, question: known && typeof key === "string" ? { op, key, value } : null };
  } catch {
    return { envelope, question: null };
  }
}

export function replyTo({ envelope }: Letter, answer: Answer): (string | Buffer)[] {
  return [...envelope, JSON.stringify(answer)];
}
