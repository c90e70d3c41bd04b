// Long tests end as the loop next has the thread, so that what they opened in the file system, and
// the processes they started, go with them. Enters: SIGINT, SIGTERM. Leaves: exit code 130 or 143.

export function exitOnSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
