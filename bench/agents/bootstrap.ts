// The start of a session with another machine, over its one channel: a few lines of POSIX shell
// report what the machine is, store the programs that it lacks, and become the agent.

import type { Channel } from "../host/channel.ts";
import { within } from "../host/deadline.ts";
import { describeExit } from "../host/host.ts";
import type { Paths } from "../paths.ts";
import { sshHint } from "./destination.ts";
import { programFor, type StoredFile, type System } from "./programs.ts";

/** What precedes each line of the script: a login shell may print other lines before. */
const mark = "io-selectors:";

/**
 * One line for any login shell: no single quote, no backslash and no exclamation mark in it.
 * `file NAME BYTES` stores what follows unless it is there; `run NAME` becomes the agent.
 */
const script = [
  `say() { echo "${mark} $*"; }`,
  `dir="\${IO_SELECTORS_CACHE:-\${XDG_CACHE_HOME:-$HOME/.cache}/io-selectors}"`,
  "umask 077",
  `mkdir -p "$dir" || { say failed cannot create the cache folder $dir; exit 1; }`,
  "libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || echo unknown)",
  "if [ -e /etc/alpine-release ]; then libc=musl; fi",
  "say system $(uname -s) $(uname -m) $libc",
  'say folder "$dir"',
  "while read -r what name size; do " +
    "case $what in " +
    "file) " +
    'if [ -x "$dir/$name" ]; then say have $name; continue; fi; ' +
    "say need $name; " +
    'part="$dir/$name.$(uname -n).$$"; ' +
    'head -c "$size" > "$part"; ' +
    'if [ "$(wc -c < "$part")" -eq "$size" ] && chmod 700 "$part" && ' +
    'mv "$part" "$dir/$name"; then say have $name; ' +
    'else rm -f "$part"; say failed cannot store $name in $dir: is its disk full?; exit 1; fi;; ' +
    'run) exec "$dir/$name" agent;; ' +
    "esac; done",
].join("; ");

export const bootstrapLine = `exec sh -c '${script}'`;

/** The paths of the programs on that machine. */
export interface Installed {
  readonly loadGenerator: string;
  readonly echoServer: string;
}

const answerMs = 30_000;
/** A megabyte over a slow link. */
const storeMs = 120_000;
const slowLinkBytesPerMs = 64;

/** Why a host cannot take part. */
export class HostError extends Error {
  override readonly name = "HostError";
  /** The message without the name of the host. */
  readonly reason: string;

  /** @param host begins the message; the default is for callers that do not know it. */
  constructor(reason: string, host?: string) {
    super(host === undefined ? reason : `${host}: ${reason}`);
    this.reason = reason;
  }
}

interface Bootstrapping {
  readonly paths: Paths;
  /** What is stored in addition to the programs, in the same folder. */
  readonly files?: readonly StoredFile[];
  readonly signal?: AbortSignal | undefined;
}

/** Stores what is missing and starts the agent: the next bytes are its frames. */
export async function bootstrap(
  channel: Channel,
  { paths, files = [], signal }: Bootstrapping,
): Promise<{ readonly installed: Installed; readonly early: Buffer }> {
  const lines = new Lines(channel, signal);
  const system = systemOf(await lines.next("system", answerMs));
  const folder = await lines.next("folder", answerMs);
  const store = async ({ file, bytes }: StoredFile) => {
    channel.write(`file ${file} ${bytes.length}\n`);
    if ((await lines.either("have", "need", answerMs)) === "have") return;
    channel.write(bytes);
    await lines.next("have", Math.max(storeMs, bytes.length / slowLinkBytesPerMs));
  };
  const install = async (path: string): Promise<StoredFile> => {
    const program = programFor(system, path, paths);
    if (typeof program === "string") throw new HostError(program);
    await store(program);
    return program;
  };
  const loadGenerator = await install(paths.loadGenerator);
  const echoServer = await install(paths.echoServer);
  for (const file of files) await store(file);
  channel.write(`run ${loadGenerator.file}\n`);
  return {
    installed: {
      loadGenerator: `${folder}/${loadGenerator.file}`,
      echoServer: `${folder}/${echoServer.file}`,
    },
    early: lines.rest(),
  };
}

function systemOf(text: string): System {
  const [system = "", machine = "", ...libc] = text.split(" ");
  return { system, machine, libc: libc.join(" ") };
}

/** The script's lines, in the order in which they are waited for. */
class Lines {
  readonly #channel: Channel;
  readonly #signal: AbortSignal | undefined;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(channel: Channel, signal: AbortSignal | undefined) {
    this.#channel = channel;
    this.#signal = signal;
    channel.onBytes((chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
  }

  async next(kind: string, timeoutMs: number): Promise<string> {
    const { kind: found, text } = await this.#line(timeoutMs);
    if (found !== kind) throw new HostError(`it answered "${found} ${text}" instead of "${kind}"`);
    return text;
  }

  async either(one: string, other: string, timeoutMs: number): Promise<string> {
    const { kind } = await this.#line(timeoutMs);
    if (kind !== one && kind !== other) throw new HostError(`it answered "${kind}"`);
    return kind;
  }

  rest(): Buffer {
    return this.#bytes;
  }

  /** @throws {HostError} on the end of the channel, silence, or a failure that it reports. */
  async #line(timeoutMs: number): Promise<{ readonly kind: string; readonly text: string }> {
    for (;;) {
      const end = this.#bytes.indexOf("\n");
      if (end < 0) {
        await this.#more(timeoutMs);
        continue;
      }
      const line = this.#bytes.toString("utf8", 0, end).trim();
      this.#bytes = this.#bytes.subarray(end + 1);
      if (!line.startsWith(`${mark} `)) continue;
      const [, kind = "", text = ""] = /^\S+ (\S+) ?(.*)$/.exec(line) ?? [];
      if (kind === "failed") throw new HostError(withTail(text, this.#channel));
      return { kind, text };
    }
  }

  async #more(timeoutMs: number): Promise<void> {
    const heard = new Promise<object>((resolve) => {
      this.#wake = () => resolve(heardSome);
    });
    const either = Promise.race([heard, this.#channel.exited]);
    const first = await within(either, { timeoutMs, signal: this.#signal });
    if (first === null) throw new HostError(`it was silent for ${timeoutMs / 1000} s`);
    if (first !== heardSome) throw new HostError(await endOf(this.#channel));
  }
}

const heardSome = {};

/** How ssh, or what it ran, ended, and what to do about it. */
export async function endOf(channel: Channel, program = "ssh"): Promise<string> {
  const end = `${program} ${describeExit(await channel.exited)}`;
  const hint = sshHint(`${end} ${channel.stderrTail}`) ?? libcHint(channel.stderrTail);
  return withTail(end, channel) + (hint === null ? "" : `; ${hint}`);
}

function libcHint(stderr: string): string | null {
  const needed = /GLIBC_([\d.]+)/.exec(stderr)?.[1];
  if (needed === undefined) return null;
  return (
    `its C library is older than glibc ${needed}, which this machine's programs need: ` +
    "use the published package, whose programs need less, or a newer system there"
  );
}

function withTail(text: string, { stderrTail }: Channel): string {
  return stderrTail === "" ? text : `${text}: ${stderrTail}`;
}
