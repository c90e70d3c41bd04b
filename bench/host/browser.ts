// Opens a page in this machine's browser, which outlives the command.

import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";

/** Resolves to why it could not be opened, or to null. */
export function openPage(path: string): Promise<string | null> {
  const command = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(command, [pathToFileURL(path).href], { detached: true, stdio: "ignore" });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`cannot open ${path}: ${command}: ${error.message}`));
    child.once("spawn", () => {
      child.unref();
      resolve(null);
    });
  });
}
