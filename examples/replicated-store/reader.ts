// A read server: it answers from memory, each answer with its version. It reloads the changed file
// when it is idle, so that no request waits for it. Under load it is never idle, so a bound limits
// how long a change may wait.

import { once } from "node:events";
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Dealer } from "zeromq";
import { toReadable, watchDirectory } from "../../src/index.ts";
import { FrameQueue } from "../chat/frame-queue.ts";
import { openLetter, replyTo } from "./protocol.ts";
import { loadStore, type Store } from "./store-file.ts";

/** How a reader learns that the file changed; `stamps` looks at its time stamp only. */
export type Notice = "inotify" | "stamps";

export interface ReaderSettings {
  readonly file: string;
  readonly endpoint: string;
  /** It is idle if the last request is older than this. */
  readonly idleMs: number;
  /** A change is loaded after at most this time, even if requests wait; null: only when idle. */
  readonly staleMs: number | null;
  readonly notice: Notice;
  /**
   * How often the file's time stamp is looked at, whatever `notice` is: inotify(7) does not report
   * what another host changes in a network folder.
   */
  readonly lookMs: number;
}

export async function runReader(
  settings: ReaderSettings,
  announce: (event: object) => void,
  stop: AbortSignal,
): Promise<void> {
  const reader = new Reader(settings, await loadStore(settings.file));
  reader.watch(stop);
  const answering = reader.answer(stop);
  announce({ event: "ready", version: reader.version });
  if (!stop.aborted) await once(stop, "abort");
  await answering;
  announce({ event: "counters", ...reader.counters });
}

class Reader {
  /** How often it was loaded when idle, and how often because the bound was reached. */
  readonly counters = { answers: 0, idleReloads: 0, forcedReloads: 0 };
  readonly #settings: ReaderSettings;
  #store: Store;
  #loaded: string;
  #changedAtMs: number | null = null;
  #askedAtMs = 0;
  #loading = false;

  constructor(settings: ReaderSettings, store: Store) {
    this.#settings = settings;
    this.#store = store;
    this.#loaded = "";
  }

  get version(): number {
    return this.#store.version;
  }

  /** Looks whenever something changes in the file's folder, and every `lookMs`. */
  watch(stop: AbortSignal): void {
    const { idleMs, lookMs, notice } = this.#settings;
    if (notice === "inotify") this.#watchFolder(stop);
    const timers = [
      setInterval(() => this.#reloadIfDue(), idleMs),
      setInterval(() => this.#look(), lookMs),
    ];
    stop.addEventListener("abort", () => {
      for (const timer of timers) clearInterval(timer);
    });
    this.#look(); // what changed before we watched
  }

  #watchFolder(stop: AbortSignal): void {
    const { file } = this.#settings;
    const name = basename(file);
    const changes = toReadable(watchDirectory(dirname(file)), { encoding: "latin1" });
    changes.on("data", (events: string) => {
      // The temporary file's own changes are not ours: only its taking of the name is.
      if (events.includes(`${name}\0`)) this.#look();
    });
    stop.addEventListener("abort", () => changes.destroy());
  }

  async answer(stop: AbortSignal): Promise<void> {
    const socket = new Dealer({ linger: 0, reconnectInterval: 50 });
    const answers = new FrameQueue(socket);
    stop.addEventListener("abort", () => socket.close());
    socket.connect(this.#settings.endpoint);
    for await (const frames of socket) {
      this.#askedAtMs = performance.now();
      this.counters.answers++;
      const letter = openLetter(frames);
      const { version, entries } = this.#store;
      if (letter.question?.op === "get") {
        const value = entries.get(letter.question.key) ?? null;
        answers.push(replyTo(letter, { version, value }));
      } else answers.push(replyTo(letter, { version, error: "not a get" }));
      this.#reloadIfDue();
    }
  }

  #look(): void {
    if (this.#changedAtMs === null && stampOf(this.#settings.file) !== this.#loaded) {
      this.#changedAtMs = performance.now();
    }
  }

  #reloadIfDue(): void {
    if (this.#changedAtMs === null || this.#loading) return;
    const { idleMs, staleMs } = this.#settings;
    const nowMs = performance.now();
    const idle = nowMs - this.#askedAtMs >= idleMs;
    if (!idle && (staleMs === null || nowMs - this.#changedAtMs < staleMs)) return;
    if (idle) this.counters.idleReloads++;
    else this.counters.forcedReloads++;
    void this.#reload();
  }

  async #reload(): Promise<void> {
    this.#loading = true;
    // Before the file is read: a change meanwhile makes another stamp, and is found below.
    const stamp = stampOf(this.#settings.file);
    this.#store = await loadStore(this.#settings.file);
    this.#loaded = stamp;
    this.#changedAtMs = null;
    this.#loading = false;
    this.#look();
  }
}

/** Identifies one version of the file. */
function stampOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}
