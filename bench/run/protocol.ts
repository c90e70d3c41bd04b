// The protocols that the user's servers speak: the load generator's options for them, which the
// commands that measure such servers take unchanged.

import { resolve } from "node:path";
import {
  flag,
  type Given,
  type OptionRow,
  option,
  UsageError,
  whole,
  word,
} from "../command-line.ts";
import type { Results } from "../model/results.ts";

const hourMs = 3_600_000;

const protocolNames = ["echo", "http", "request"] as const;
type ProtocolName = (typeof protocolNames)[number];

interface SpokenRow extends OptionRow {
  readonly protocols: readonly ProtocolName[];
}

/** Options of some protocols, which their help names. */
function of(protocols: readonly ProtocolName[], rows: readonly OptionRow[]): SpokenRow[] {
  return rows.map((row) => ({ ...row, protocols, help: `${protocols.join(", ")}: ${row.help}` }));
}

/** Options that the load generator has under the same name, and checks itself. */
const spokenRows: readonly SpokenRow[] = [
  ...of(
    ["request"],
    [
      option("send", "BYTES", "bytes to send; escapes \\r \\n \\t \\0 \\\\ \\xHH", word),
      option("expect", "BYTES", "the answer; with --until, how it begins", word),
      option("until", "BYTES", "how an answer ends", word),
      option("expect-bytes", "N", "the length of an answer", word),
      option("length-prefix", "2be", "an answer begins with its length", word),
      option("greeting", "BYTES", "the server sends first, up to these", word),
    ],
  ),
  ...of(
    ["http"],
    [
      option("method", "NAME", "method of the request; default: GET", word),
      option("path", "/PATH", "path of the request; default: /", word),
      { ...option("header", "'A: b'", "header of the request; may be repeated", word), many: true },
      option("body", "TEXT", "body of the request", word),
      option("body-file", "FILE", "the same, from a file", absolute),
      option("status", "N", "status of each answer; default: 200", word),
      option("expect-body", "TEXT", "body of each answer", word),
      option("expect-body-file", "FILE", "the same, from a file", absolute),
      option("expect-sha256", "HEX", "digest of each answer's body", word),
    ],
  ),
  ...of(
    ["http", "request"],
    [
      option("script", "FILE", "requests with weights, one per line", absolute),
      option("depth", "N", "requests in flight per connection; default: 1", whole(1, 1e6)),
      option(
        "reopen-percent",
        "N",
        "reopens a connection after this share of answers",
        whole(0, 100),
      ),
      option("answer-within-ms", "N", "an answer after this time is a fault", whole(1, hourMs)),
      // Flags have a number in the load generator.
      flag("tls", "over TLS, by the system's OpenSSL"),
      option("tls-ca", "FILE", "TLS authorities; default: the system's", absolute),
      option("tls-name", "NAME", "TLS name of the server (SNI, certificate)", word),
      flag("tls-insecure", "accepts any TLS certificate"),
    ],
  ),
];

export const protocolRows: readonly OptionRow[] = [
  option("protocol", "NAME", "echo (default), http or request", word),
  ...spokenRows,
];

export interface Spoken {
  readonly protocol: ProtocolName;
  /** The load generator's arguments; none for echo. */
  readonly arguments: readonly string[];
}

/** @throws {UsageError} on an unknown protocol, or an option that it does not have. */
export function spokenBy({ values }: Given): Spoken {
  const asked = (values["protocol"] ?? "echo") as string;
  const protocol = protocolNames.find((name) => name === asked);
  if (protocol === undefined) {
    throw new UsageError(`--protocol: "${asked}" is not one of ${protocolNames.join(", ")}`);
  }
  const given = spokenRows.flatMap(({ name, protocols }) => {
    const all = [values[name] ?? []].flat().filter((value) => value !== false);
    if (all.length > 0 && !protocols.includes(protocol)) {
      throw new UsageError(`--${name} needs --protocol ${protocols.join(" or ")}`);
    }
    return all.map((value) => [`--${name}`, value === true ? "1" : String(value)]);
  });
  return {
    protocol,
    arguments: protocol === "echo" ? [] : ["--protocol", protocol, ...given.flat()],
  };
}

/** What tells nothing of its user: no secret, no content, no path of this machine. */
const harmless = new Set([
  ...["method", "status", "depth", "reopen-percent", "answer-within-ms", "expect-bytes"],
  ...["length-prefix", "tls", "tls-insecure"],
]);
const hidden = "…";

/** The protocol's options for results.json, which others read: what may be secret is hidden. */
export function shownOptions({ values }: Given, { protocol }: Spoken): Record<string, unknown> {
  const given = spokenRows.flatMap(({ name }) => {
    const value = values[name];
    if (value === undefined || value === null || value === false) return [];
    if (name === "path") return [[name, String(value).replace(/\?.*/s, `?${hidden}`)] as const];
    return [[name, harmless.has(name) ? value : hidden] as const];
  });
  return { protocol, ...Object.fromEntries(given) };
}

/** The requests of a run by option, as far as its results.json shows them. */
export function requestsOf({ settings }: Pick<Results, "settings">): ReadonlyMap<string, string> {
  const shown: Readonly<Record<string, unknown>> = Object(settings["options"]);
  return new Map(
    protocolRows
      .filter(({ name }) => Object.hasOwn(shown, name))
      .map(({ name }) => [name, JSON.stringify(shown[name])]),
  );
}

/** In words: "protocol http, path /health, depth 4"; empty for requests of the suite's own. */
export function requestWords(requests: ReadonlyMap<string, string>): string {
  return [...requests].map(([name, value]) => `${name} ${value.replaceAll('"', "")}`).join(", ");
}

/** The load generator runs elsewhere. */
function absolute(text: string): string {
  return resolve(text);
}
