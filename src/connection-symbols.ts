// The members of a connection that only the engine and its neighbours use.

export const opened = Symbol("opened");
export const deliver = Symbol("deliver");
export const onEnd = Symbol("onEnd");
export const onQueued = Symbol("onQueued");
export const onIdle = Symbol("onIdle");
export const onClosed = Symbol("onClosed");
export const flag = Symbol("flag");
export const roleOf = Symbol("roleOf");
export const unread = Symbol("unread");
export const withholds = Symbol("withholds");
export const release = Symbol("release");
export const takeOver = Symbol("takeOver");
export const failureOf = Symbol("failureOf");

/** Handlers that keep received bytes: an iterator, a framing, a pipe, a stream. */
export interface Reader<C> {
  [release]?(connection: C, giveBack: (item: Uint8Array | "end") => void): void;
}

/** What a reader has not given to the program waits for whatever serves the connection next. */
export function releaseReader<C extends { [unread](item: Uint8Array | "end"): void }>(
  connection: C,
  handlers: object,
): void {
  (handlers as Reader<C>)[release]?.(connection, (item) => connection[unread](item));
}
