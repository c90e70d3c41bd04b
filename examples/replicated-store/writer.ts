// The one write server: it answers once the change is on disk. Changes that arrive during a save
// are saved together by the next one.

import { Dealer, Publisher } from "zeromq";
import { FrameQueue } from "../chat/frame-queue.ts";
import { type Change, type Letter, openLetter, replyTo } from "./protocol.ts";
import { loadStore, type Store, saveStore } from "./store-file.ts";

export interface WriterSettings {
  readonly file: string;
  readonly endpoint: string;
  /** Where it publishes what changed; `tcp://127.0.0.1:*` for any port. */
  readonly changes: string;
}

export async function runWriter(
  { file, endpoint, changes }: WriterSettings,
  announce: (event: object) => void,
  stop: AbortSignal,
): Promise<void> {
  let store: Store = await loadStore(file);
  const socket = new Dealer({ linger: 0, reconnectInterval: 50 });
  const answers = new FrameQueue(socket);
  const publisher = new Publisher({ linger: 0 });
  const news = new FrameQueue(publisher);
  let waiting: Letter[] = [];
  let saving = false;
  stop.addEventListener("abort", () => {
    socket.close();
    publisher.close();
  });
  await publisher.bind(changes);
  socket.connect(endpoint);
  announce({ event: "ready", version: store.version, changes: publisher.lastEndpoint });
  for await (const frames of socket) {
    waiting.push(openLetter(frames));
    if (!saving) void save();
  }

  async function save(): Promise<void> {
    saving = true;
    while (waiting.length > 0) {
      const letters = waiting;
      waiting = [];
      const entries = new Map(store.entries);
      let { version } = store;
      const made: Change[] = [];
      const replies = letters.map((letter) => {
        const { question } = letter;
        if (question?.op === "put") entries.set(question.key, question.value);
        else if (question?.op === "delete") entries.delete(question.key);
        else return replyTo(letter, { version, error: "not a put or a delete" });
        version++;
        made.push({ version, key: question.key, value: entries.get(question.key) ?? null });
        return replyTo(letter, { version });
      });
      const changed = version > store.version;
      if (changed) await saveStore(file, { version, entries });
      store = { version, entries };
      for (const reply of replies) answers.push(reply);
      for (const change of made) news.push([change.key, JSON.stringify(change)]);
    }
    saving = false;
  }
}
