// A message between the processes of the chat: its origin, its number at that origin, and the line.
// It is sent as the frames of a ZeroMQ message. https://rfc.zeromq.org/spec/23/

/** One line, or a mark with the number of lines so far. */
export interface Envelope {
  /** `word`: a line for members. `mark`: no word was lost if the last one had this `sequence`. */
  readonly kind: "word" | "mark";
  /** The gateway that sent it, in this run of its process. */
  readonly origin: string;
  /** Of a word: its own number, from 1. Of a mark: the number of the last word before it. */
  readonly sequence: number;
  /** The group that a word is for; empty for all users. */
  readonly to: string;
  /** Of a word: the line. Of a mark: GroupNews as JSON, or nothing. */
  readonly body: Uint8Array;
}

/**
 * The first frame, by which a subscriber picks. What a broadcaster had from its own gateways is
 * `home`, what it had from other broadcasters is `away`: those subscribe to `home` only, so that
 * nothing comes round.
 */
export type Subject = "home" | "away";

export function toFrames(subject: Subject, envelope: Envelope): (string | Uint8Array)[] {
  const { kind, origin, sequence, to, body } = envelope;
  return [subject, kind, origin, String(sequence), to, body];
}

/** @returns null for frames that are no envelope: some other program has our address. */
export function fromFrames(frames: readonly Buffer[]): Envelope | null {
  const [, kind, origin, sequence, to, body] = frames;
  if (body === undefined || frames.length !== 6) return null;
  const number = Number(sequence?.toString());
  const kindText = kind?.toString();
  if ((kindText !== "word" && kindText !== "mark") || !Number.isSafeInteger(number)) return null;
  return {
    kind: kindText,
    origin: origin?.toString() ?? "",
    sequence: number,
    to: to?.toString() ?? "",
    body,
  };
}
