// A server that speaks the protocol of Redis, RESP2: PING, GET, SET and DEL, any number of commands
// at once, in pieces of any size, binary-safe. https://redis.io/docs/reference/protocol-spec/
//   npm run build && node dist/examples/13-redis-server.js 7000
//   redis-benchmark -p 7000 -t ping,set,get -P 16 -c 200
import { serve } from "../src/index.ts";

const LONGEST_BYTES = 1 << 20;
const values = new Map<string, string>();
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const commands: Record<string, (key: string, value: string) => string> = {
  PING: (text) => (text === "" ? "+PONG\r\n" : bulk(text)),
  GET: (key) => (values.has(key) ? bulk(values.get(key) ?? "") : "$-1\r\n"),
  SET(key, value) {
    values.set(key, value);
    return "+OK\r\n";
  },
  DEL: (key) => `:${Number(values.delete(key))}\r\n`,
};

/** @returns the words of the command that begins there, and its end; null if it is incomplete. */
function parse(text: string, from: number): { words: string[]; end: number } | null {
  const line = text.indexOf("\r\n", from);
  if (line < 0) return null;
  if (text[from] !== "*") return { words: text.slice(from, line).split(" "), end: line + 2 };
  const words: string[] = [];
  let at = line + 2;
  for (let left = Number(text.slice(from + 1, line)); left > 0; left--) {
    const head = text.indexOf("\r\n", at);
    if (head < 0) return null;
    const end = head + 2 + Number(text.slice(at + 1, head));
    if (text[at] !== "$" || !(end >= head + 2)) throw new Error("protocol error");
    if (text.length < end + 2) return null;
    words.push(text.slice(head + 2, end));
    at = end + 2;
  }
  return { words, end: at };
}

const server = serve<string>(
  { port: Number(process.argv[2] ?? 0) },
  {
    data(connection, bytes) {
      const received = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const text = (connection.data ?? "") + received.toString("latin1"); // a byte per character
      let at = 0;
      let replies = "";
      for (let next = parse(text, at); next !== null; next = parse(text, at)) {
        const [name = "", key = "", value = ""] = next.words;
        replies += commands[name.toUpperCase()]?.(key, value) ?? "-ERR unknown command\r\n";
        at = next.end;
      }
      connection.data = text.slice(at);
      if (connection.data.length > LONGEST_BYTES) throw new Error("a command is too long");
      connection.write(Buffer.from(replies, "latin1"));
    },
    error: (_connection, thrown) => console.error(`redis: ${thrown}`),
  },
);
console.log(`redis on port ${server.address?.port}`);
