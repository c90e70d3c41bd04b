// Signals as a descriptor: the job of signalfd(2), in a process whose threads Node has started.
//
// signalfd reads a signal only if every thread blocks it, and Node's and V8's threads exist before
// this library is loaded: one of them would take the signal and its default action would end the
// process. openSignals therefore uses the handler that Node itself uses (libuv's), which runs on
// whichever thread the kernel chooses and reports to each of its watchers.

import { constants } from "node:os";
import { assertString, descriptorOf } from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import { explained, orThrow } from "./opening.ts";

/** No program can handle the first two. The others are raised by an instruction, which the thread
 * would repeat after each handler. */
const NEVER = new Set(["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"]);

/** Of names for one number the first: SIGABRT, not SIGIOT. */
const NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/**
 * A descriptor that is readable while one of these signals waits for readSignals. While it is open
 * their default action does not happen. It works in any thread, workers included, and while Node's
 * loop does not run, as in a blocking `select()`. `process.on("SIGTERM")` and other openSignals
 * descriptors of the process receive the same signals.
 *
 * Signals that are sent to one thread (pthread_kill(3)) are reported as well.
 * @param signals names, such as `["SIGTERM", "SIGHUP"]`.
 * @returns the descriptor, which the caller closes with this library's close().
 * @throws {RangeError} ERR_INVALID_ARG_VALUE for a name that this system lacks, and for signals
 *   that cannot be handled (SIGKILL, SIGSTOP) or not safely (SIGSEGV, SIGBUS, SIGFPE, SIGILL).
 * @throws {Error} in Node's form: `EMFILE`.
 * @see signal(7), signalfd(2)
 */
export function openSignals(signals: readonly NodeJS.Signals[]): number {
  if (!Array.isArray(signals)) {
    throw invalidType(`signals is ${typeof signals}: pass an array of names, such as ["SIGTERM"]`);
  }
  if (signals.length === 0) throw invalidValue("signals is empty: pass a name, such as SIGTERM");
  const numbers = Int32Array.from(new Set(signals.map(numberOf)));
  return explained(native.openSignals(numbers), `cannot watch ${signals.join(", ")}`, {
    EINVAL: "a program cannot handle one of these signals",
  });
}

/**
 * Takes the signals that arrived since the last call, in order; never blocks. A signal that was
 * sent again before the kernel delivered it counts once, as signal(7) says.
 * @returns their names; empty without one.
 * @throws {Error} in Node's form: `EBADF` for a descriptor that openSignals of this thread did not
 *   open.
 */
export function readSignals(fd: number): NodeJS.Signals[] {
  const answer = native.takeSignals(descriptorOf(fd));
  const numbers = orThrow<readonly number[]>(answer, `cannot read signals from fd ${fd}`);
  return numbers.map((number) => NAMES.get(number) ?? (`SIG${number}` as NodeJS.Signals));
}

function numberOf(name: NodeJS.Signals): number {
  assertString(name, "a signal");
  if (!Object.hasOwn(constants.signals, name)) {
    throw invalidValue(`${name} is not a signal of this system: pass a name such as SIGTERM`);
  }
  if (NEVER.has(name)) {
    throw invalidValue(`${name} cannot be handled safely by a program: leave it out`);
  }
  return constants.signals[name];
}
