// Waker: ends a selector's wait from any thread.

import { assertNumber, isInt32 } from "./arguments.ts";
import { invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import type { Waker } from "./selector.ts";

/**
 * Turns a handle that another thread has posted into a Waker of that thread's selector.
 * @param handle what `selector.waker().handle` was, in this process.
 * @throws {RangeError | TypeError} ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE for anything but
 *   a positive integer. Waking a handle that is no selector's has no effect.
 * @see eventfd(2)
 */
export function openWaker(handle: number): Waker {
  assertNumber(handle, "handle");
  if (!isInt32(handle) || handle <= 0) {
    throw invalidValue(`${handle} is not a waker's handle; take one from selector.waker().handle`);
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
