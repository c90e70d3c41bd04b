// What a pause withholds from the handlers of a connection. This is rare, so it is kept outside the
// connection object.

export type Withheld = Uint8Array | "end" | "closed";

const kept = new WeakMap<object, Withheld[]>();

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

export function forgetWithheld(connection: object): void {
  kept.delete(connection);
}
