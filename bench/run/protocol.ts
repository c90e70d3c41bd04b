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

/** Options that the load generator has under the same name and checks itself. */
const requestRows: readonly OptionRow[] = [
  option("send", "BYTES", "request: bytes to send; escapes \\r \\n \\t \\0 \\\\ \\xHH", word),
  option("expect", "BYTES", "request: the answer; with --until, how it begins", word),
  option("until", "BYTES", "request: how an answer ends", word),
  option("expect-bytes", "N", "request: the length of an answer", word),
  option("length-prefix", "2be", "request: an answer begins with its length", word),
  option("greeting", "BYTES", "request: the server sends first, up to these", word),
  option("method", "NAME", "http: method of the request; default: GET", word),
  option("path", "/PATH", "http: path of the request; default: /", word),
  {
    ...option("header", "'A: b'", "http: header of the request; may be repeated", word),
    many: true,
  },
  option("body", "TEXT", "http: body of the request", word),
  option("body-file", "FILE", "http: the same, from a file", absolute),
  option("status", "N", "http: status of each answer; default: 200", word),
  option("expect-body", "TEXT", "http: body of each answer", word),
  option("expect-body-file", "FILE", "http: the same, from a file", absolute),
  option("expect-sha256", "HEX", "http: digest of each answer's body", word),
  option("script", "FILE", "requests with weights, one per line", absolute),
  option("depth", "N", "requests in flight per connection; default: 1", whole(1, 1e6)),
  option("reopen-percent", "N", "reopens a connection after this share of answers", whole(0, 100)),
  option("answer-within-ms", "N", "an answer after this time is a fault", whole(1, hourMs)),
];

/** TLS beneath http and request; flags have a number in the load generator. */
const tlsRows: readonly OptionRow[] = [
  flag("tls", "http, request: over TLS, by the system's OpenSSL"),
  option("tls-ca", "FILE", "TLS: authorities; default: the system's", absolute),
  option("tls-name", "NAME", "TLS: the server's name (SNI, certificate)", word),
  flag("tls-insecure", "TLS: accepts any certificate"),
];

export const protocolRows: readonly OptionRow[] = [
  option("protocol", "NAME", "echo (default), http or request", word),
  ...requestRows,
  ...tlsRows,
];

const protocolNames = ["echo", "http", "request"] as const;
type ProtocolName = (typeof protocolNames)[number];

export interface Spoken {
  readonly protocol: ProtocolName;
  /** The load generator's arguments; none for echo. */
  readonly arguments: readonly string[];
}

/** @throws {UsageError} on an unknown protocol, or an option that echo does not have. */
export function spokenBy({ values }: Given): Spoken {
  const asked = (values["protocol"] ?? "echo") as string;
  const protocol = protocolNames.find((name) => name === asked);
  if (protocol === undefined) {
    throw new UsageError(`--protocol: "${asked}" is not one of ${protocolNames.join(", ")}`);
  }
  const given = [...requestRows, ...tlsRows].flatMap(({ name }) => {
    const all = [values[name] ?? []].flat().filter((value) => value !== false);
    return all.map((value) => [`--${name}`, value === true ? "1" : String(value)]);
  });
  const [first] = given.flat();
  if (protocol === "echo" && first !== undefined) {
    throw new UsageError(`${first} needs --protocol http or request`);
  }
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
  const given = [...requestRows, ...tlsRows].flatMap(({ name }) => {
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
