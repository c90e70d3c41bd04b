// What a pause withholds from the handlers of a connection. This is rare, so it is kept outside the
// connection object.

export type Withheld = Uint8Array | "end" | "closed";

const kept = new WeakMap<object, Withheld[]>();
/** Why connections failed: rare, too. */
export const reasons = new WeakMap<object, Error>();

/** Why a connection was lost, or what it was destroyed with; null if it was not. */
export function reasonOf(connection: object): Error | null {
  return reasons.get(connection) ?? null;
}

/**
 * Connections that their engine has closed while a pause withholds that from the handlers, each
 * with the `closed` of its role.
 */
export const unclosed = new Map<{ destroy(): void }, (() => void) | null>();

/** What is withheld of a connection, the oldest first. */
export function withheldOf(connection: object): Withheld[] {
  const items = kept.get(connection) ?? [];
  if (items.length === 0) kept.set(connection, items);
  return items;
}

/** Received bytes are a view that is valid until the handler returns. */
export function copyOf(item: Withheld): Withheld {
  return typeof item === "string" ? item : item.slice();
}

const MOST_ITEMS = 64;

/** Whether it is so much that a connection should stop receiving. */
export function isPlenty(items: readonly Withheld[], mostBytes: number): boolean {
  const bytes = items.reduce((sum, item) => sum + (typeof item === "string" ? 0 : item.length), 0);
  return items.length >= MOST_ITEMS || bytes >= mostBytes;
}

/** Whether a peer has ended its side without a byte that is still to be delivered. */
export function isOnlyEnd(items: readonly Withheld[]): boolean {
  return items.length === 1 && items[0] === "end";
}

/** Takes the bytes among it, for a reader of a connection that delivers nothing any more. */
export function takeWithheld(connection: object): Uint8Array[] {
  const items = withheldOf(connection).filter((item) => typeof item !== "string");
  forgetWithheld(connection);
  return items;
}

export function forgetWithheld(connection: object): void {
  kept.delete(connection);
}
