// Frames: messages on a byte stream, each as its length (four bytes, big-endian) and its text. The
// other half of native/load_generator/frames.h.

const headerBytes = 4;
/** A longer message means that the stream is not ours. */
const longestFrame = 16 * 1024 * 1024;

class FrameError extends Error {
  override readonly name = "FrameError";
}

export function encodeFrame(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message), "utf8");
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(text.length);
  return Buffer.concat([header, text]);
}

/** Collects what arrives and gives out whole messages. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #length = 0;

  /** @throws {FrameError} on a length that no sender of ours writes, or text that is not JSON. */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: unknown[] = [];
    for (let text = this.#next(); text !== null; text = this.#next()) messages.push(parse(text));
    return messages;
  }

  #next(): string | null {
    if (this.#length < headerBytes) return null;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    const length = bytes.readUInt32BE(0);
    if (length > longestFrame) throw new FrameError(`a frame of ${length} bytes`);
    const end = headerBytes + length;
    if (bytes.length < end) return null;
    this.#chunks = [bytes.subarray(end)];
    this.#length = bytes.length - end;
    return bytes.toString("utf8", headerBytes, end);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError("a frame that is not JSON");
  }
}
