// The user's servers that a command line names: started by a command, or already running.

import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import {
  type Given,
  type OptionRow,
  option,
  seconds,
  UsageError,
  whole,
  word,
} from "../command-line.ts";
import { type Contender, contenders } from "../contenders/catalogue.ts";
import { foreignContender, startedByCommand } from "../contenders/foreign.ts";
import type { Spoken } from "../run/protocol.ts";

const largestPid = 4_194_304; // proc(5), pid_max
const usualReadySeconds = 15;

export const targetRows: readonly OptionRow[] = [
  {
    ...option(
      "command",
      "'CMD {port}'",
      "starts the server; {port} becomes a free port, {host} its address; may be repeated",
      word,
    ),
    many: true,
  },
  {
    ...option("name", "NAME", "name of the next --command; required if there are several", word),
    many: true,
  },
  option(
    "ready-within",
    "SECONDS",
    `how long a command may take to listen; default: ${usualReadySeconds}`,
    seconds(0.05, 3600),
  ),
  option("address", "127.0.0.1:PORT", "a server that runs already; it is left running", word),
  option(
    "url",
    "http://127.0.0.1:PORT/PATH",
    "the same, with --protocol http and --path; https: with --tls",
    word,
  ),
  option(
    "pid",
    "N",
    "process ID of a server that runs already; its children are included",
    whole(1, largestPid),
  ),
  option(
    "cgroup",
    "PATH",
    "or the control group of that server: a container's, or a systemd unit's",
    word,
  ),
];

interface GivenServers {
  readonly command: readonly string[] | null;
  readonly name: readonly string[] | null;
  readonly "ready-within": number | null;
  readonly address: string | null;
  readonly url: string | null;
  readonly pid: number | null;
  readonly cgroup: string | null;
}

/** What a URL says in place of other options. @throws {UsageError} */
export function withoutUrl(given: Given): Given {
  const text = given.values["url"];
  if (typeof text !== "string") return given;
  const url = URL.canParse(text) ? new URL(text) : null;
  const tls = url?.protocol === "https:";
  if (url === null || !(tls || url.protocol === "http:")) {
    throw new UsageError(`--url: "${text}" is not http://127.0.0.1… or https://127.0.0.1…`);
  }
  if (given.values["tls"] === true && !tls) {
    throw new UsageError(`--url: "${text}" is not over TLS; use https:, or omit --tls`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("--url: give a user's name and password as --header 'Authorization: …'");
  }
  const { address, protocol, path } = given.values;
  if (path !== null) throw new UsageError("--url has a path of its own: omit --path");
  if (address !== null) throw new UsageError("--url and --address exclude each other: give one");
  if (protocol !== null && protocol !== "http") throw new UsageError("--url means --protocol http");
  const values = {
    ...given.values,
    address: `${url.hostname}:${url.port === "" ? (tls ? 443 : 80) : url.port}`,
    protocol: "http",
    ...(tls ? tlsOf(given, url.hostname) : {}),
    path: `${url.pathname}${url.search}`,
  };
  return { ...given, values };
}

/** A name in a URL is the one that the server's certificate has to hold. */
function tlsOf({ values }: Given, hostname: string) {
  const named = isIP(hostname) === 0 ? hostname : null;
  return { tls: true, "tls-name": values["tls-name"] ?? named };
}

/** @throws {UsageError} on what names no server, or one that cannot be measured. */
export function targetsOf({ values }: Given, spoken: Spoken): Contender[] {
  const { command: commands, name: names, address, ...rest } = values as unknown as GivenServers;
  if (commands === null && address === null) {
    const where = "--url or --address, with --pid or --cgroup";
    throw new UsageError(`target needs a server: --command 'CMD {port}', or ${where}`);
  }
  if (commands !== null && address !== null) {
    throw new UsageError("--command starts a server, --url and --address name one: use either");
  }
  if (rest.cgroup !== null && (values["agents"] ?? values["hosts"]) != null) {
    throw new UsageError(
      "--cgroup names a control group of this machine; with other machines use --pid",
    );
  }
  const named = namesOf(names ?? [], commands?.length ?? 1);
  if (address !== null) {
    if (rest["ready-within"] !== null) {
      throw new UsageError("--ready-within needs --command: this server runs already");
    }
    return [running({ ...rest, address }, { name: named[0] ?? "", spoken })];
  }
  for (const option of ["pid", "cgroup"] as const) {
    if (rest[option] === null) continue;
    throw new UsageError(`--${option} needs --address or --url; --command starts its own process`);
  }
  const readySeconds = rest["ready-within"] ?? usualReadySeconds;
  return (commands ?? []).map((command, index) => {
    if (!command.includes("{port}")) {
      throw new UsageError(`--command: no {port} in "${command}"; the server gets its port there`);
    }
    const name = named[index] ?? "";
    return startedByCommand({ name, command, readySeconds, spoken: spoken.arguments });
  });
}

/** @throws {UsageError} if they are not one per server, or not distinct. */
function namesOf(names: readonly string[], servers: number): readonly string[] {
  if (names.length === 0 && servers === 1) return ["target"];
  if (names.length !== servers) {
    throw new UsageError(
      `${servers} --command and ${names.length} --name; give one --name per --command`,
    );
  }
  const taken = new Set(contenders.map(({ name }) => name));
  for (const name of names) {
    if (!/^[\w.:@/-]{1,40}$/.test(name)) {
      throw new UsageError(`--name: "${name}" must have 1 to 40 letters, digits or . : @ / - _`);
    }
    if (taken.has(name)) {
      throw new UsageError(`--name: "${name}" is the name of another contender; choose another`);
    }
    taken.add(name);
  }
  return names;
}

type AttachedServer = Omit<GivenServers, "command" | "name" | "address"> & {
  readonly address: string;
};

function running(
  { address, pid, cgroup }: AttachedServer,
  { name, spoken }: { readonly name: string; readonly spoken: Spoken },
): Contender {
  const port = /^(?:127\.0\.0\.1:|localhost:)?(\d{1,5})$/.exec(address)?.[1];
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(
      `--address: "${address}" is not 127.0.0.1:PORT; ` +
        "the CPU time of a server elsewhere is not available here",
    );
  }
  if ((pid === null) === (cgroup === null)) {
    throw new UsageError(
      `a server that runs already needs --pid: ss -ltnp 'sport = :${port}' shows it; ` +
        "or --cgroup, but not both",
    );
  }
  const own = { ...foreignContender(name, spoken.arguments), attached: true };
  const summary = `the server on ${address}`;
  if (cgroup === null) {
    const command: Contender["command"] = (paths) => [
      paths.node,
      paths.announce,
      "attach",
      port,
      String(pid),
    ];
    return { ...own, command, summary };
  }
  const folder = groupFolder(cgroup);
  return {
    ...own,
    command: (paths) => [paths.node, paths.announce, "cgroup", port, folder],
    spoken: [...own.spoken, "--server-cgroup", folder],
    summary,
  };
}

/** The folder of a control group, version 1 or 2. @throws {UsageError} if there is none. */
function groupFolder(path: string): string {
  const root = "/sys/fs/cgroup";
  const hierarchies = ["", "/unified", "/systemd", "/cpu", "/pids"].map((name) => root + name);
  const candidates = path.startsWith(`${root}/`)
    ? [path]
    : hierarchies.map((folder) => join(folder, path));
  const found = candidates.find((folder) => existsSync(`${folder}/cgroup.procs`));
  if (found !== undefined) return found;
  throw new UsageError(
    `--cgroup: ${candidates[0]} is not a control group; ` +
      "systemctl show -P ControlGroup UNIT prints one",
  );
}
