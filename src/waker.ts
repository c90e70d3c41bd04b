// Waker: ends a selector's wait from any thread. Enters: a number that was posted. Leaves: a wake.

import { invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import type { Waker } from "./selector.ts";

/**
 * Turns a handle that another thread has posted into a Waker of that thread's selector.
 * @param handle what `selector.waker().handle` was, in this process.
 * @throws {RangeError} ERR_INVALID_ARG_VALUE for anything but such a number.
 * @see eventfd(2)
 */
export function openWaker(handle: number): Waker {
  if (!Number.isInteger(handle) || handle <= 0) {
    throw invalidValue(`${String(handle)} is not a waker's handle`);
  }
  let open = true;
  return Object.freeze({
    handle,
    wake: () => {
      if (open) native.wake(handle);
    },
    close: () => {
      open = false;
    },
  });
}
