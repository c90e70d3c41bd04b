// What the backends can do, and whether they work on this machine. Each is tried, because a kernel
// or a sandbox may refuse what the build contains.

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
} from "./native.ts";
import type { BackendName, Capabilities, RegisterOptions } from "./selector.ts";

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
    const refusal = tryBackend(backend.name, () => undefined);
    if (refusal === null) return { ...backend, available: true, reason: null };
    return {
      ...backend,
      available: false,
      reason: reason === "" ? refusal : `${refusal} (${reason})`,
    };
  });
}

export function capabilitiesOf(id: number): Capabilities {
  const { maxFd, ...rest } = native.capabilities(id);
  return Object.freeze({
    ...rest,
    maxFd: maxFd < 0 ? null : maxFd,
    asyncWait: native.fileno(id) < 0 ? "thread" : "nested",
  });
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

/** Opens a selector for as long as `use` runs. @returns null, or what was refused. */
function tryBackend(name: BackendName, use: (id: number) => void): string | null {
  const id = native.create(name, 0, new Int32Array(2 * RING_STRIDE));
  if (id < 0) return describeRefusal(id, hintOf(name, id));
  use(id);
  native.destroy(id);
  return null;
}
