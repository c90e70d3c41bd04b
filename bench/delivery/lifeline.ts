// Ends this process when the process that started it has ended, however that happened: the standard
// input of this process then ends.

process.stdin.once("end", () => process.kill(process.pid, "SIGTERM"));
