// Waiting with an end: for a promise, until a time is over, or until the run is interrupted.

/** The run was told to stop. Not a fault of the server that was being measured. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("interrupted");
  }
}

/** A promise and what resolves it: Promise.withResolvers() of Node 22. */
export function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((take) => {
    resolve = take;
  });
  return { promise, resolve };
}

interface Deadline {
  readonly timeoutMs: number;
  /** Unwinds at once when it aborts; without it only time ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** @returns the promise's value, or null once the time is over. @throws {Interrupted} */
export function within<T extends object>(
  promise: Promise<T>,
  deadline: Deadline,
): Promise<T | null> {
  const { timeoutMs, signal } = deadline;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = () => settle(() => reject(new Interrupted()));
    const timer = setTimeout(() => settle(() => resolve(null)), timeoutMs);
    signal?.addEventListener("abort", onAbort);
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
    if (signal?.aborted) onAbort();
  });
}
