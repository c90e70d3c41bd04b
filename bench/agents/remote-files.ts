// The kernel's files of another machine for functions that read them one after another: what a
// function misses is fetched in one request, and the function is asked again, until it misses
// nothing. Three or four round trips stand for hundreds of reads.

import type { ReadText } from "../host/kernel-files.ts";
import type { Agent } from "./agent.ts";

interface RemoteReaders {
  readonly read: ReadText;
  readonly list: (folder: string) => readonly string[];
}

/** A function that keeps asking for other files would never end. */
const mostRounds = 8;

/** @param look pure, except for its readers. @throws {HostError} if the agent is gone. */
export async function withRemoteFiles<T>(
  agent: Pick<Agent, "request">,
  look: (readers: RemoteReaders) => T,
): Promise<T> {
  const texts = new Map<string, string | null>();
  const folders = new Map<string, readonly string[]>();
  for (let round = 0; ; round++) {
    const missing = new Set<string>();
    const unlisted = new Set<string>();
    const read = (path: string) => {
      if (!texts.has(path)) missing.add(path);
      return texts.get(path) ?? null;
    };
    const list = (folder: string) => {
      if (!folders.has(folder)) unlisted.add(folder);
      return folders.get(folder) ?? [];
    };
    const result = look({ read, list });
    if ((missing.size === 0 && unlisted.size === 0) || round === mostRounds) return result;
    for (const folder of unlisted) {
      const { names } = await agent.request("list", { path: folder });
      folders.set(folder, names as string[]);
    }
    if (missing.size === 0) continue;
    const paths = [...missing];
    const answer = (await agent.request("read", { paths }))["texts"] as (string | null)[];
    for (const [index, path] of paths.entries()) texts.set(path, answer[index]?.trim() ?? null);
  }
}
