// What a server is spoken to in: the options of the load generator's protocols, which the commands
// that measure servers of others take as they are.

import { resolve } from "node:path";
import { type Given, type OptionRow, UsageError, whole, word } from "../command-line.ts";

const hourMs = 3_600_000;

/** Options that the load generator has under the same name and checks itself. */
const requestRows: readonly OptionRow[] = [
  {
    name: "send",
    value: "BYTES",
    help: "request: bytes to send; escapes \\r \\n \\t \\0 \\\\ \\xHH",
    read: word,
  },
  {
    name: "expect",
    value: "BYTES",
    help: "request: the answer; with --until, how it begins",
    read: word,
  },
  { name: "until", value: "BYTES", help: "request: how an answer ends", read: word },
  { name: "expect-bytes", value: "N", help: "request: the length of an answer", read: word },
  {
    name: "length-prefix",
    value: "2be",
    help: "request: an answer begins with its length",
    read: word,
  },
  {
    name: "greeting",
    value: "BYTES",
    help: "request: the server sends first, up to these",
    read: word,
  },
  { name: "method", value: "NAME", help: "http: default: GET", read: word },
  { name: "path", value: "/PATH", help: "http: default: /", read: word },
  {
    name: "header",
    value: "'A: b'",
    help: "http: of the request; may be repeated",
    read: word,
    many: true,
  },
  { name: "body", value: "TEXT", help: "http: body of the request", read: word },
  { name: "body-file", value: "FILE", help: "http: the same, from a file", read: absolute },
  { name: "status", value: "N", help: "http: status of each answer; default: 200", read: word },
  { name: "expect-body", value: "TEXT", help: "http: body of each answer", read: word },
  { name: "expect-body-file", value: "FILE", help: "http: the same, from a file", read: absolute },
  { name: "expect-sha256", value: "HEX", help: "http: digest of each answer's body", read: word },
  { name: "script", value: "FILE", help: "requests with weights, one per line", read: absolute },
  {
    name: "depth",
    value: "N",
    help: "requests in flight per connection; default: 1",
    read: whole(1, 1e6),
  },
  {
    name: "reopen-percent",
    value: "N",
    help: "reopens a connection after this share of answers",
    read: whole(0, 100),
  },
  {
    name: "answer-within-ms",
    value: "N",
    help: "an answer after this time is a fault",
    read: whole(1, hourMs),
  },
];

/** TLS beneath http and request; flags have a number in the load generator. */
const tlsRows: readonly OptionRow[] = [
  { name: "tls", value: "", help: "http, request: over TLS, by the system's OpenSSL" },
  {
    name: "tls-ca",
    value: "FILE",
    help: "TLS: authorities; default: the system's",
    read: absolute,
  },
  {
    name: "tls-name",
    value: "NAME",
    help: "TLS: the server's name (SNI, certificate)",
    read: word,
  },
  { name: "tls-insecure", value: "", help: "TLS: accepts any certificate" },
];

export const protocolRows: readonly OptionRow[] = [
  { name: "protocol", value: "NAME", help: "echo (default), http or request", read: word },
  ...requestRows,
  ...tlsRows,
];

const protocolNames = ["echo", "http", "request"] as const;
type ProtocolName = (typeof protocolNames)[number];

export interface Spoken {
  readonly protocol: ProtocolName;
  /** Of the load generator; none for echo. */
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

/** The load generator runs elsewhere. */
function absolute(text: string): string {
  return resolve(text);
}
