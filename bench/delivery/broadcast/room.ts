// What a broadcast server is: whatever one connection sends goes to all, byte by byte in order. Its
// process is measured from outside.

export interface BroadcastServer {
  /** `runtime:strategy`. */
  readonly name: string;
  /** Listens on loopback. @returns the port. */
  start(): number | Promise<number>;
}
