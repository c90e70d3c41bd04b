// Terminals and serial ports: raw mode, speed, frame and flow control, without stty. Nothing here
// changes whether the descriptor blocks. termios(3)

import { assertNumber, assertOneOf, descriptorOf } from "./arguments.ts";
import { invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import { assertOptions, explained } from "./opening.ts";
import type { FileLike } from "./selector.ts";

/** Places are the native values. */
const PARITIES = ["none", "even", "odd"] as const;
const FLOW_CONTROLS = ["none", "hardware", "software"] as const;

/** Places in the Int32Array that native SerialLine is. */
const LINE_INTEGERS = 7;

/** How a serial line transmits; enterRawMode sets it. termios(3) */
export interface SerialOptions {
  /** Bits per second in both directions, any that the device's clock gives (on Linux and the BSDs
   * also those without a name, such as 250000); unchanged unless given. */
  readonly baudRate?: number;
  /** 8 unless given. */
  readonly dataBits?: 5 | 6 | 7 | 8;
  /** `none` unless given. */
  readonly parity?: (typeof PARITIES)[number];
  /** 1 unless given. */
  readonly stopBits?: 1 | 2;
  /** `hardware` is RTS/CTS, `software` XON/XOFF; `none` unless given. */
  readonly flowControl?: (typeof FLOW_CONTROLS)[number];
}

/** The current settings of a terminal. */
export interface TerminalSettings extends Required<SerialOptions> {
  /** Whether the kernel edits lines and delivers them whole. ICANON */
  readonly canonical: boolean;
  /** Whether the kernel sends back what it receives. ECHO */
  readonly echo: boolean;
}

/** A terminal in raw mode, until `restore()`. */
export interface RawMode extends Disposable {
  /** Sets the terminal as it was before enterRawMode; a second call is a no-op.
   * @throws {Error} in Node's form: `EBADF` if the descriptor was closed, or its number now
   *   belongs to another file. */
  restore(): void;
}

/** Raw modes that the end of the thread restores. */
const entered = new Set<RawMode>();

/**
 * Sets a terminal to raw mode: bytes pass unchanged and at once, without echo, line editing,
 * signals from keys or translation of line ends. Also sets its serial line: 8N1 without flow
 * control, unless `options` has other values. A modem's carrier is ignored (CLOCAL).
 * @param file any terminal: a serial port, standard input, a pseudo-terminal's side `terminal`.
 * @returns what restores the terminal. The end of this thread (`process.exit`, an uncaught
 *   exception) restores it too; a signal that ends the process does not.
 * @throws {Error} in Node's form: `ENOTTY` if it is not a terminal; `EINVAL` if the device does not
 *   take the line as asked, and then nothing is changed.
 * @see cfmakeraw in termios(3), TCSETS2 in ioctl_tty(2)
 */
export function enterRawMode(file: FileLike, options: SerialOptions = {}): RawMode {
  const fd = descriptorOf(file);
  const saved = new Uint8Array(native.terminalStateBytes);
  const line = lineOf(options);
  explained(native.enterRawMode(fd, line, saved), `cannot set fd ${fd} raw`, {
    ENOTTY: "it is not a terminal: open a serial port or a pseudo-terminal",
    EINVAL: `the device does not take ${describe(options)}: see terminalSettings(${fd})`,
  });
  const mode: RawMode = {
    restore() {
      if (!entered.delete(mode)) return;
      if (entered.size === 0) process.removeListener("exit", restoreAll);
      explained(native.restoreTerminal(fd, saved), `cannot restore the terminal at fd ${fd}`, {
        EBADF: "restore it before it is closed",
      });
    },
    [Symbol.dispose]() {
      mode.restore();
    },
  };
  if (entered.size === 0) process.on("exit", restoreAll);
  entered.add(mode);
  return mode;
}

/**
 * Returns the current settings of a terminal.
 * @throws {Error} in Node's form: `ENOTTY`.
 * @see tcgetattr(3)
 */
export function terminalSettings(file: FileLike): TerminalSettings {
  const fd = descriptorOf(file);
  const line = new Int32Array(LINE_INTEGERS);
  explained(native.readTerminal(fd, line), `cannot read the settings of fd ${fd}`, {
    ENOTTY: "it is not a terminal",
  });
  const [baudRate = 0, dataBits, parity = 0, stopBits, flowControl = 0, canonical, echo] = line;
  return {
    baudRate,
    dataBits: dataBits as TerminalSettings["dataBits"],
    parity: PARITIES[parity] ?? "none",
    stopBits: stopBits as TerminalSettings["stopBits"],
    flowControl: FLOW_CONTROLS[flowControl] ?? "none",
    canonical: canonical === 1,
    echo: echo === 1,
  };
}

/** Latest first, so that a terminal that was entered twice ends as it began. */
function restoreAll(): void {
  for (const mode of [...entered].reverse()) {
    try {
      mode.restore();
    } catch {
      // Closed by now, or unplugged: there is nothing to restore.
    }
  }
}

function lineOf(options: SerialOptions): Int32Array {
  assertOptions(options);
  const { baudRate, dataBits = 8, parity = "none", stopBits = 1, flowControl = "none" } = options;
  if (baudRate !== undefined) assertNumber(baudRate, "baudRate");
  assertNumber(dataBits, "dataBits");
  assertNumber(stopBits, "stopBits");
  if (
    baudRate !== undefined &&
    !(Number.isInteger(baudRate) && 0 < baudRate && baudRate < 2 ** 31)
  ) {
    throw invalidValue(`baudRate is ${String(baudRate)}; pass bits per second, such as 115200`);
  }
  if (![5, 6, 7, 8].includes(dataBits))
    throw invalidValue(`dataBits is ${String(dataBits)}; it must be 5 … 8`);
  if (![1, 2].includes(stopBits)) throw invalidValue(`stopBits is ${stopBits}; it must be 1 or 2`);
  const line = Int32Array.of(
    baudRate ?? 0,
    dataBits,
    placeIn(PARITIES, parity, "parity"),
    stopBits,
  );
  const all = new Int32Array(LINE_INTEGERS);
  all.set(line);
  all[line.length] = placeIn(FLOW_CONTROLS, flowControl, "flowControl");
  return all;
}

function placeIn(names: readonly string[], name: string, option: string): number {
  assertOneOf(name, names, option);
  return names.indexOf(name);
}

function describe(options: SerialOptions): string {
  const { baudRate, dataBits = 8, parity = "none", stopBits = 1, flowControl = "none" } = options;
  const speed = baudRate === undefined ? "" : `${baudRate} baud, `;
  const frame = `${dataBits} data bits, parity ${parity}, stop bits ${stopBits}`;
  return `${speed}${frame}, flow control ${flowControl}`;
}
