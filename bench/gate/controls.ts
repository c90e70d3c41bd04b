// What a run of the gate checks about itself, and what else it found: codes with fields, and one
// table of words for each.

import { percent, plural } from "../report/format.ts";
import { type GateCause, gateCauseText } from "./causes.ts";
import { gateMetric } from "./metrics.ts";

interface Planted {
  /** Null if no contender could be tried. */
  readonly contender: string | null;
  /** Head over base; null if it was not measured. */
  readonly ratio: number | null;
  readonly cause: GateCause | null;
}

interface ControlFields {
  readonly "base-itself": {
    readonly tests: number;
    readonly alarms: readonly { readonly contender: string; readonly metric: string }[];
  };
  readonly "planted-call": Planted;
  readonly "planted-cost": Planted & { readonly percent: number };
}

type ControlCode = keyof ControlFields;
export type ControlOf<C extends ControlCode> = ControlFields[C] & {
  readonly code: C;
  readonly held: boolean;
};
export type Control = { [C in ControlCode]: ControlOf<C> }[ControlCode];

interface ControlWords<C extends ControlCode> {
  readonly name: (control: ControlOf<C>) => string;
  /** What the control saw. */
  readonly detail: (control: ControlOf<C>) => string;
}

const controlWords: { readonly [C in ControlCode]: ControlWords<C> } = {
  "base-itself": {
    name: () => "base against base shows no change",
    detail: ({ held, tests, alarms }) =>
      held
        ? `${tests} tests, no alarm`
        : alarms.map((one) => `${one.contender} ${gateMetric(one.metric).title}`).join(", "),
  },
  "planted-call": {
    name: ({ contender }) =>
      `${contender === null ? "" : `${contender} with `}a planted system call is detected`,
    detail: ({ held, ratio, cause }) => {
      if (held) return `${((Number(ratio) - 1) * 100).toFixed(1)} % more calls`;
      if (cause !== null) return gateCauseText(cause);
      return `${ratio?.toFixed(3)} times the calls of the base`;
    },
  },
  "planted-cost": {
    name: (control) =>
      `${control.contender} with ${control.percent} % of its CPU time planted is detected`,
    detail: ({ held, ratio, cause }) => {
      const seen = ratio === null ? "not measured" : `${signed(ratio)} % CPU per message`;
      return held || cause === null ? seen : `${seen}; ${gateCauseText(cause)}`;
    },
  },
};

export function controlText<C extends ControlCode>(
  control: ControlOf<C>,
): { readonly name: string; readonly detail: string } {
  const { name, detail } = controlWords[control.code as C];
  return { name: name(control), detail: detail(control) };
}

interface NoteFields {
  readonly "not-counted": { readonly metric: string; readonly text: string };
  readonly "rounds-failed": {
    /** With its side: "server (head)". */
    readonly server: string;
    readonly workload: string;
    readonly count: number;
    readonly first: string;
  };
  readonly "other-machine": { readonly base: string; readonly head: string };
  readonly "other-requests": { readonly options: readonly string[] };
  readonly interrupted: object;
  readonly "separate-runs": object;
}

/** What else the reader must know. */
export type GateNote = {
  [C in keyof NoteFields]: NoteFields[C] & { readonly code: C };
}[keyof NoteFields];

const noteWords: { readonly [C in keyof NoteFields]: (note: NoteFields[C]) => string } = {
  "not-counted": ({ metric, text }) => `${gateMetric(metric).title} could not be counted: ${text}`,
  "rounds-failed": ({ server, workload, count, first }) =>
    `${server}, ${workload}: ${plural(count, "failed round")} left out; the first: ${first}`,
  "other-machine": ({ base, head }) =>
    `nothing is decided: another machine, kernel or Node (fingerprints ${base} and ${head})`,
  "other-requests": ({ options }) =>
    `nothing is decided: other requests (${options.map((name) => `--${name}`).join(", ")})`,
  interrupted: () => "nothing is decided: a run was interrupted",
  "separate-runs": () => "separate runs: wider margins, no controls, no confirmation",
};

export function noteText<C extends GateNote["code"]>(
  note: NoteFields[C] & { readonly code: C },
): string {
  return noteWords[note.code as C](note);
}

/** "+5.1", "−0.3": the per cent by which a ratio differs from 1. */
export function signed(ratio: number): string {
  const change = (ratio - 1) * 100;
  const text = percent(Math.abs(change));
  return `${change < 0 && Number(text) !== 0 ? "−" : "+"}${text}`;
}
