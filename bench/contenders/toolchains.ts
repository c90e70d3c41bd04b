// Finds the compilers, interpreters and libraries of the peers on this machine. Nothing is
// installed or downloaded; a tool that is missing has the one command that installs it.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A tool that this machine has. */
export interface FoundTool {
  /** The program to run: a path, or a name on PATH. */
  readonly program: string;
  /** Such as "Python 3.11.2, twisted 22.4.0". */
  readonly version: string;
}

export interface Toolchain {
  /** What the peer needs, in words. */
  readonly needs: string;
  /** The command that installs it. */
  readonly install: string;
  /** @returns null if this machine does not have it. */
  find(): FoundTool | null;
}

/** What a program prints on standard output, or null if it cannot run or fails. */
function output(program: string, ...args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(program, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 20_000,
  });
  return status === 0 ? stdout.trim() : null;
}

/** The first program of several that prints what `read` accepts. */
function firstOf(
  programs: readonly string[],
  read: (program: string) => string | null,
): FoundTool | null {
  for (const program of programs) {
    const version = read(program);
    if (version !== null) return { program, version };
  }
  return null;
}

/** Debian installs modules for its own interpreter, which need not be the first on PATH. */
const pythons = ["python3", "/usr/bin/python3"];

/** CPython with a module of its index, or alone. */
export function python(module?: string): Toolchain {
  const own = "import platform; print('Python', platform.python_version(), end='')";
  const version = `m.version('${module}')`;
  const more = `; import importlib.metadata as m, ${module}; print(', ${module}', ${version})`;
  return {
    needs: module === undefined ? "Python 3.8 or newer" : `the Python module ${module}`,
    install: `apt-get install python3${module === undefined ? "" : `-${module}`}`,
    find: () => firstOf(pythons, (program) => output(program, "-c", own + (module ? more : ""))),
  };
}

interface CLibrary {
  readonly name: string;
  readonly header: string;
  /** The macros of the header that hold the parts of its version. */
  readonly version: readonly string[];
  readonly install: string;
  readonly language: "c" | "c++";
}

/** A C or C++ compiler that finds a library's header. */
export function cLibrary({ name, header, version, install, language }: CLibrary): Toolchain {
  const compilers = language === "c" ? ["cc", "gcc", "clang"] : ["c++", "g++", "clang++"];
  return {
    needs: `a ${language === "c" ? "C" : "C++"} compiler and ${name}`,
    install,
    find: () =>
      firstOf(compilers, (compiler) => {
        const flags = ["-E", "-dM", "-include", header, "-x", language, "/dev/null"];
        const macros = output(compiler, ...flags);
        if (macros === null) return null;
        const parts = version.map((macro) => macroValue(macro, macros));
        return `${name} ${parts.join(".")}`;
      }),
  };
}

/** Of a macro, as `cc -dM` prints it. */
function macroValue(macro: string, macros: string): string {
  const found = macros.split("\n").find((line) => line.startsWith(`#define ${macro} `));
  return found?.split(" ")[2]?.replaceAll('"', "") ?? "?";
}

/** Where Debian's packages of Rust libraries lie: cargo takes them as a source of its own. */
export const debianCrates = "/usr/share/cargo/registry";

/** Cargo, with a crate that is here already: Debian's, or one that cargo has downloaded before. */
export function cargo(crate: string): Toolchain {
  return {
    needs: `cargo and the crate ${crate}`,
    install: `apt-get install cargo librust-${crate}-dev`,
    find: () => {
      const found = crateVersion(crate);
      if (found === null) return null;
      return firstOf(["cargo", "/usr/bin/cargo"], (program) => {
        const version = output(program, "--version")?.split(" ")[1];
        return version === undefined ? null : `${crate} ${found}, cargo ${version}`;
      });
    },
  };
}

function crateVersion(crate: string): string | null {
  const cached = join(process.env["CARGO_HOME"] ?? join(homedir(), ".cargo"), "registry", "src");
  const folders = [debianCrates, ...entries(cached).map((name) => join(cached, name))];
  const pattern = new RegExp(`^${crate}-(\\d[\\w.+-]*)$`);
  for (const name of folders.flatMap(entries)) {
    const [, version] = pattern.exec(name) ?? [];
    if (version !== undefined) return version;
  }
  return null;
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

export const go: Toolchain = {
  needs: "Go 1.18 or newer",
  install: "apt-get install golang-go",
  find: () =>
    firstOf(["go", "/usr/lib/go/bin/go"], (program) => {
      const [, , version = null] = output(program, "version")?.split(" ") ?? [];
      return version;
    }),
};

/** A JDK of at least some release, the one on PATH or another that Debian has installed. */
export function java(release: number): Toolchain {
  const folder = "/usr/lib/jvm";
  return {
    needs: `a JDK of Java ${release} or newer`,
    install:
      release > 17
        ? `apt-get install openjdk-${release}-jdk-headless`
        : "apt-get install default-jdk-headless",
    find: () => {
      const others = entries(folder).map((name) => join(folder, name, "bin", "javac"));
      return firstOf(["javac", ...others], (compiler) => {
        const [, version, major] =
          /javac ((\d+)\S*)/.exec(output(compiler, "-version") ?? "") ?? [];
        return Number(major) >= release ? `Java ${version}` : null;
      });
    },
  };
}

/**
 * A JavaScript runtime beside Node. npm installs a wrapper, which would be another process in front
 * of the server, so the runtime is asked for its own path.
 */
export function javaScript(name: "bun" | "deno"): Toolchain {
  const where = name === "bun" ? "process.execPath" : "Deno.execPath()";
  const version = name === "bun" ? "Bun.version" : "Deno.version.deno";
  return {
    needs: name,
    install: `npm install --global ${name}`,
    find: () => {
      const script = `console.log(JSON.stringify([${where}, ${version}]))`;
      const said = output(name, ...(name === "bun" ? ["-e", script] : ["eval", script]));
      if (said === null) return null;
      const [program, found] = JSON.parse(said) as [string, string];
      return { program, version: `${name} ${found}` };
    },
  };
}
