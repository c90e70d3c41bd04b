// Where an agent runs, as the user names it: an ssh destination, or "local" for this machine.

import { UsageError } from "../command-line.ts";

export const localName = "local";

/** All machines of a run. */
export interface HostPlan {
  readonly agents: readonly string[];
  /** By default "local", the machine that coordinates. */
  readonly server: string;
  /** Where the server listens; null: the address at which ssh reaches its host. */
  readonly serverAddress: string | null;
  /** A configuration file for ssh instead of the user's; null: the user's. */
  readonly sshConfig: string | null;
}

/** @throws {UsageError} on text that ssh would take for something else. */
export function checkDestination(text: string, option: string): string {
  const sound = /^[^\s-][^\s]*$/.test(text);
  if (sound) return text;
  throw new UsageError(
    `${option}: "${text}" is not a destination of ssh: it must be user@host, a host of the ` +
      'ssh configuration, or "local", and must not begin with "-"',
  );
}

/** Lines "agent DESTINATION", "server DESTINATION [ADDRESS]", "# …". @throws {UsageError} */
export function parseHosts(text: string, path: string): HostPlan {
  const agents: string[] = [];
  let server: string | null = null;
  let serverAddress: string | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    const [role = "", destination = "", address, ...rest] = words;
    const where = `${path}:${index + 1}`;
    if (role === "") continue;
    const isServer = role === "server" && server === null && rest.length === 0;
    const isAgent = role === "agent" && address === undefined;
    if (!isServer && !isAgent) {
      throw new UsageError(
        `${where}: "${line.trim()}" is neither "agent DESTINATION" nor the only ` +
          '"server DESTINATION [ADDRESS]"',
      );
    }
    checkDestination(destination, where);
    if (isAgent) agents.push(destination);
    if (isServer) [server, serverAddress] = [destination, address ?? null];
  }
  if (agents.length === 0) throw new UsageError(`${path}: no line "agent DESTINATION"`);
  return { agents, server: server ?? localName, serverAddress, sshConfig: null };
}

/** The command that reaches a destination and runs a line of shell there. */
export function reach(destination: string, line: string, sshConfig: string | null): string[] {
  return [
    "ssh",
    ...(sshConfig === null ? [] : ["-F", sshConfig]),
    "-T",
    // A prompt would wait for a person who is not asked; a link that is dead ends after 15 s. While
    // ssh connects, it does not notice the end of its input: that ends after 15 s, too.
    ...["-o", "BatchMode=yes", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"],
    ...["-o", "ConnectTimeout=15"],
    "--",
    destination,
    line,
  ];
}

/** What to do about the words with which ssh ends, where that is known. */
const sshHints: readonly (readonly [part: string, hint: string])[] = [
  [
    "Host key verification failed",
    "the host's key is unknown or has changed: connect once by hand and compare its fingerprint",
  ],
  [
    "Permission denied",
    "no key was accepted, and a password is never asked for: ssh-add a key, or ssh-copy-id it",
  ],
  ["Could not resolve hostname", "check its name, or its Host entry in the ssh configuration"],
  ["Connection refused", "no sshd listens there: start it, or name its Port in the configuration"],
  ["No route to host", "check the address and the network between"],
  ["timed out", "check the address, the network between and its firewall"],
  ["spawn ssh ENOENT", "install an ssh client, such as the package openssh-client"],
];

/** @param said by ssh on its standard error, or by the system that could not start ssh */
export function sshHint(said: string): string | null {
  return sshHints.find(([part]) => said.includes(part))?.[1] ?? null;
}
