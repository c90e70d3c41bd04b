// What the backends can do, and whether they work on this machine. Each is tried, because a kernel
// or a sandbox may refuse what the build contains.

import { constants } from "node:os";
import { assertBoolean, assertOneOf } from "./arguments.ts";
import { SelectorError } from "./errors.ts";
import { hintOf } from "./hints.ts";
import {
  describeRefusal,
  native,
  OPTION_EXCLUSIVE,
  OPTION_MODES,
  OPTION_PRIORITY,
  RING_STRIDE,
  systemError,
} from "./native.ts";
import type { BackendName, Capabilities, RegisterOptions } from "./selector.ts";

const { EMFILE, ENFILE, ENOMEM } = constants.errno;

/** A backend, and whether it works here. */
export interface AvailableBackend {
  /** Its name, as `selector.backend` has it. */
  readonly name: BackendName;
  /** Whether a selector over it could be made just now. */
  readonly available: boolean;
  /** Why it is not available, in words; null if it is available. */
  readonly reason: string | null;
  /** Whether DefaultSelector may pick it. */
  readonly byDefault: boolean;
}

/**
 * All backends in the order of preference, and whether each works here. If one does not, the reason
 * names what this build lacks, or the call that the system refused (`io_uring_setup: EPERM (…)`).
 */
export function availableBackends(): readonly AvailableBackend[] {
  return native.backends().map(({ name, contained, reason, byDefault }) => {
    const backend = { name: name as BackendName, byDefault };
    if (!contained) return { ...backend, available: false, reason };
    const answer = tryBackend(backend.name, () => undefined);
    if (answer >= 0) return { ...backend, available: true, reason: null };
    const hint = hintOf(backend.name, answer) || (isShortage(answer) ? "" : reason);
    return { ...backend, available: false, reason: describeRefusal(answer, hint) };
  });
}

let chosen: BackendName | undefined;

/**
 * The backend of DefaultSelector: the first that works here. Tried once per thread, because what a
 * kernel or a sandbox refuses does not change under a process.
 * @throws {Error} in Node's form (`EMFILE`, `ENFILE`, `ENOMEM`) if one was refused for a shortage,
 *   which may pass.
 */
export function defaultBackend(): BackendName {
  chosen ??= firstWorking();
  return chosen;
}

function firstWorking(): BackendName {
  for (const { name, contained, byDefault } of native.backends()) {
    if (!contained || !byDefault) continue;
    const answer = tryBackend(name as BackendName, () => undefined);
    if (answer >= 0) return name as BackendName;
    if (isShortage(answer)) throw systemError(answer, `cannot make a ${name} selector`);
  }
  throw new Error("io-selectors: no backend works here; availableBackends() has the reasons");
}

/** Whether descriptors or memory were missing, which does not depend on the backend. */
function isShortage(answer: number): boolean {
  return answer === -EMFILE || answer === -ENFILE || answer === -ENOMEM;
}

export function capabilitiesOf(id: number): Capabilities {
  const { maxFd, ...rest } = native.capabilities(id);
  return Object.freeze({ ...rest, maxFd: maxFd < 0 ? null : maxFd });
}

/**
 * The options of `register` as native code takes them.
 * @throws {SelectorError} for one that the backend lacks.
 */
export function optionBits(
  backend: BackendName,
  capabilities: Capabilities,
  options: RegisterOptions,
): number {
  const { mode = "level", exclusive = false, priority = false } = options;
  assertOneOf(mode, Object.keys(OPTION_MODES), "options.mode");
  assertBoolean(exclusive, "options.exclusive");
  assertBoolean(priority, "options.priority");
  const wanted = [mode, exclusive && "exclusive", priority && "priority"] as const;
  for (const option of wanted) {
    if (option === false || option === "level" || capabilities[option]) continue;
    const having = backendsHaving(option).join(", ") || "none";
    throw new SelectorError(
      "ERR_SELECTOR_UNSUPPORTED",
      `the ${backend} backend does not support ${option}; available backends that do: ${having}`,
    );
  }
  return OPTION_MODES[mode] | (exclusive ? OPTION_EXCLUSIVE : 0) | (priority ? OPTION_PRIORITY : 0);
}

function backendsHaving(option: "edge" | "oneshot" | "exclusive" | "priority"): BackendName[] {
  const having: BackendName[] = [];
  for (const { name, available } of availableBackends()) {
    if (!available) continue;
    tryBackend(name, (id) => {
      if (capabilitiesOf(id)[option]) having.push(name);
    });
  }
  return having;
}

/** Opens a selector for as long as `use` runs. @returns -errno if that was refused. */
function tryBackend(name: BackendName, use: (id: number) => void): number {
  const id = native.create(name, 0, new Int32Array(2 * RING_STRIDE));
  if (id < 0) return id;
  use(id);
  native.destroy(id);
  return 0;
}
