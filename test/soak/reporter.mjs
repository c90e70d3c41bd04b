// Preloaded into a Node server under test: on a message it collects its garbage and answers what is
// left of its heap.

process.on("message", () => {
  globalThis.gc();
  globalThis.gc();
  process.send(process.memoryUsage().heapUsed / 1024);
});
process.channel.unref();
