// target: measures somebody else's echo server beside ours, with its CPU time taken from outside.

import { type Given, type OptionRow, UsageError, whole, word } from "../command-line.ts";
import { type Contender, contenders, reference } from "../contenders/catalogue.ts";
import { loadRows, outRow, requestOf } from "../run/options.ts";
import { makePlan } from "../run/plan.ts";
import { type Command, openRow } from "./command.ts";
import { measure } from "./measuring.ts";

const name = "target";
/** Few enough for a server that forks for each connection, enough to see how it goes. */
const usualConnections = 100;
const usualRate = 2_000;
const largestPid = 4_194_304; // proc(5), pid_max

const rows: readonly OptionRow[] = [
  {
    name: "command",
    value: "'CMD {port}'",
    help: "starts the server; {port} becomes a free port of 127.0.0.1",
    read: word,
  },
  {
    name: "address",
    value: "127.0.0.1:PORT",
    help: "a server that runs already; it is left running",
    read: word,
  },
  {
    name: "pid",
    value: "N",
    help: "its process, whose CPU time (and its children's) is taken",
    read: whole(1, largestPid),
  },
  ...loadRows,
  outRow,
  openRow,
  { name: "json", value: "", help: "results.json on standard output instead of the table" },
];

export const targetCommand: Command = {
  name,
  summary: "measures your own echo server, in any language, beside the reference",
  operands: "",
  options: rows,
  examples: [
    [
      "npm run bench -- target --command 'socat TCP-LISTEN:{port},fork,reuseaddr EXEC:cat'",
      `${usualConnections} connections, ${usualRate} messages/s`,
    ],
    [
      "npm run bench -- target --command 'python3 echo.py {port}' --connections 1000 --rate 5000",
      "as many as it should bear",
    ],
    [
      "npm run bench -- target --address 127.0.0.1:7 --pid 4242",
      "one that runs already: its process is measured as it is, wherever it is scheduled",
    ],
  ],
  execute: async (given) => {
    const contender = contenderOf(given);
    const { out, connections, rate, ...request } = requestOf(given);
    const plan = makePlan(
      {
        ...request,
        out,
        profile: null,
        workloads: ["echo-rate"],
        contenders: [reference, name],
        connections: connections ?? [usualConnections],
        rate: rate ?? usualRate,
      },
      [...contenders, contender],
    );
    const json = given.values["json"] === true;
    return await measure({ ...plan, profile: name }, { given, out, json });
  },
};

function contenderOf({ values }: Given): Contender {
  const { command, address, pid } = values as {
    readonly command: string | null;
    readonly address: string | null;
    readonly pid: number | null;
  };
  if ((command === null) === (address === null)) {
    throw new UsageError("target needs either --command 'CMD {port}' or --address with --pid");
  }
  return {
    name,
    runtime: "foreign",
    strategy: "unknown",
    command: command === null ? attaching(address ?? "", pid) : starting(command, pid),
    concurrency: "single",
    platforms: [process.platform],
    summary: command ?? `the server on ${address}`,
  };
}

function starting(command: string, pid: number | null): Contender["command"] {
  if (pid !== null) throw new UsageError("--pid goes with --address; --command knows its process");
  if (!command.includes("{port}")) {
    throw new UsageError(`--command: no {port} in "${command}"; the server is told its port by it`);
  }
  return (paths) => [paths.node, paths.announce, "command", command];
}

function attaching(address: string, pid: number | null): Contender["command"] {
  const port = /^(?:127\.0\.0\.1:|localhost:)?(\d{1,5})$/.exec(address)?.[1];
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(
      `--address: "${address}" is not 127.0.0.1:PORT; ` +
        "a server elsewhere has CPU time that nobody here can see",
    );
  }
  if (pid === null) {
    throw new UsageError(`--address needs --pid: ss -ltnp 'sport = :${port}' tells it`);
  }
  return (paths) => [paths.node, paths.announce, "attach", port, String(pid)];
}
