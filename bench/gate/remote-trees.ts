// Base and head as built trees on the server's machine, if that is another one: the packed trees
// lie in its cache folder, are unpacked next to it and built by the shell there.

import type { Host } from "../host/host.ts";
import { CannotCompare } from "./gate.ts";
import type { Revision } from "./result.ts";
import { runBuild, runTool, type ToolContext } from "./tool.ts";
import { packedPattern, shellQuoted } from "./worktrees.ts";

/** The machine on which the trees are built and the servers run. */
export interface BuildMachine {
  /** As the user named it. */
  readonly name: string;
  readonly host: Host;
  /** Where the packed trees lie. */
  readonly cache: string;
}

/** A packed tree that no run has copied for so long is removed. */
const keptDays = 7;

/** A folder per run. After "=", which no host name has: the pid of the agent that made it. */
const prefix = "regression-$(uname -n)=";

export class RemoteTrees {
  readonly #machine: BuildMachine;
  readonly #signal: AbortSignal;
  readonly #folder: string;

  /**
   * Makes a folder for the trees of this run, and removes those of runs that were killed.
   * @throws {CannotCompare} @throws {Interrupted}
   */
  static async open(machine: BuildMachine, signal: AbortSignal): Promise<RemoteTrees> {
    const script = [
      `cd ${shellQuoted(machine.cache)} || exit 1`,
      "umask 077",
      `own="${prefix}"`,
      `for old in "$own"*; do pid=\${old#"$own"}; pid=\${pid%%-*}`,
      'kill -0 "$pid" 2>/dev/null || rm -rf "$old"; done',
      `find . -name '${packedPattern}' -mtime +${keptDays} -exec rm -f {} +`,
      'made="$PWD/$own$PPID-$$"; mkdir "$made" && echo "$made"',
    ].join("\n");
    const argv = ["/bin/sh", "-c", script];
    const { lines, failure } = await runTool(argv, { host: machine.host, signal });
    const [folder = ""] = lines;
    if (failure === null && folder !== "") return new RemoteTrees(machine, folder, signal);
    throw new CannotCompare(
      `${machine.name}: no folder for the trees in ${machine.cache}: ${failure ?? "no answer"}`,
    );
  }

  private constructor(machine: BuildMachine, folder: string, signal: AbortSignal) {
    this.#machine = machine;
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * Unpacks a tree and builds it by a shell's command, in a folder of it.
   * @param packed the file's name in the cache folder; the user's command; null builds nothing.
   * @returns the folder there. @throws {CannotCompare} if it does not build. @throws {Interrupted}
   */
  async buildBy(
    side: "base" | "head",
    { commit }: Revision,
    packed: { readonly file: string; readonly folder: string; readonly command: string | null },
  ): Promise<string> {
    const { name, host, cache } = this.#machine;
    const tree = `${this.#folder}/${side}`;
    const place = packed.folder === "" ? tree : `${tree}/${packed.folder}`;
    const archive = shellQuoted(`${cache}/${packed.file}`);
    const unpack = `mkdir ${shellQuoted(tree)} && tar -xzf ${archive} -C ${shellQuoted(tree)}`;
    // The archive is still of use: its age says when it was last asked for.
    const steps = [unpack, `touch ${archive}`, `cd ${shellQuoted(place)}`];
    if (packed.command !== null) steps.push(`{ ${packed.command}\n}`);
    const context: ToolContext = { host, signal: this.#signal };
    const failure = await runBuild(["/bin/sh", "-c", steps.join(" && ")], context);
    if (failure === null) return place;
    throw new CannotCompare(`${side} ${commit} does not build on ${name}: ${failure}`);
  }

  /** Removes the trees, after an interruption too. */
  async remove(): Promise<void> {
    const { host } = this.#machine;
    const { signal } = new AbortController();
    const folder = shellQuoted(this.#folder);
    // A cache of packages may be read-only.
    const remove = `chmod -R u+rwX ${folder}; rm -rf ${folder}`;
    await runTool(["/bin/sh", "-c", remove], { host, signal });
  }
}
