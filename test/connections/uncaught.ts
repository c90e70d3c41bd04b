// What a handler threw, where no `error` handler takes it.

/** The next uncaughtException, which vitest would otherwise take for a failure. */
export function nextUncaught(): Promise<string> {
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  return new Promise((resolve) => {
    process.once("uncaughtException", (error) => {
      for (const listener of listeners) process.on("uncaughtException", listener);
      resolve(String(error));
    });
  });
}
