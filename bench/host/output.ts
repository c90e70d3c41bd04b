// The standard streams of the commands. Results go out whole, or the command fails: an exit code of
// 0 with half a file of results on a full disk would mislead every script that reads them.

import { fstatSync, writeSync } from "node:fs";
import { getSystemErrorMap } from "node:util";

const standardOutput = 1;

/** Standard output, or a file, took only a part of the results, or none of them. */
export class OutputError extends Error {
  constructor(cause: unknown, place = "standard output") {
    super(
      `cannot write the results to ${place}: ${reasonOf(cause)}; ` +
        "they are incomplete: make room, or write to another file",
      { cause },
    );
  }
}

/** A fault of the system, such as a full disk: its message says all that there is to say. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** Without the system call and the path, which may be that of a temporary file. */
export function reasonOf(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known?.join(": ") ?? (error instanceof Error ? error.message : String(error));
}

/** A reader may leave (EPIPE); any other error of standard output makes the exit code 1. */
export function guardStreams(program: string): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    process.stderr.write(`${program}: ${new OutputError(error).message}\n`);
    // The error arrives after the write, when the command may have set its own exit code.
    process.once("exit", () => {
      process.exitCode = 1;
    });
  });
}

/** In columns; `otherwise` if it is no terminal, or one that does not know its size: it has 0. */
export function widthOf(
  { columns = 0 }: { readonly columns?: number },
  otherwise = Number.POSITIVE_INFINITY,
): number {
  return columns > 0 ? columns : otherwise;
}

/** Writes results. @throws {OutputError} if a file or a device did not take all of it. */
export function writeOutput(text: string): void {
  if (!isFileOrDevice()) {
    process.stdout.write(text);
    return;
  }
  // Node's stream for files drops what a short write(2) leaves over, without an error.
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(standardOutput, bytes, at);
  } catch (error) {
    throw new OutputError(error);
  }
}

/** Neither a terminal, a pipe nor a socket, whose streams report what they could not write. */
function isFileOrDevice(): boolean {
  if (process.stdout.isTTY === true) return false;
  const type = fstatSync(standardOutput);
  return type.isFile() || type.isCharacterDevice();
}
