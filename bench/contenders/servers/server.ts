// What every TypeScript server gives to serve.ts.

export interface Server {
  readonly port: number;
  /** Asks it to close everything; `done` is resolved when it has. */
  stop(): void;
  readonly done: Promise<void>;
}
