// The store on disk: one file, replaced as a whole. A program that reads it sees the whole old or
// the whole new one, even after a crash, because the new file is complete on disk before it takes
// the name. rename(2), fsync(2)

import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

export interface Store {
  /** Of the newest change; 0 before the first. */
  readonly version: number;
  readonly entries: Map<string, string>;
}

/** @returns an empty store if there is no file yet. */
export async function loadStore(path: string): Promise<Store> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { version: 0, entries: new Map() };
  }
  const { version, entries } = JSON.parse(text);
  return { version, entries: new Map(Object.entries(entries)) };
}

/** Resolves once the store survives a loss of power. One at a time. */
export async function saveStore(path: string, { version, entries }: Store): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(JSON.stringify({ version, entries: Object.fromEntries(entries) }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  // The name is in the folder, which has to reach the disk as well.
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
