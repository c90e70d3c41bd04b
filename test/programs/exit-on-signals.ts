// Long tests end as the loop next has the thread, so that what they opened in the file system, and
// the processes they started, go with them.

export function exitOnSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
