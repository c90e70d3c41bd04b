// Ends long tests on SIGINT and SIGTERM (exit code 130, 143) as soon as the loop has the thread, so
// that their files and processes are removed.

export function exitOnSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
