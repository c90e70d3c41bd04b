// A process that ends with the one that started it, however that ended: its standard input does.

process.stdin.once("end", () => process.kill(process.pid, "SIGTERM"));
