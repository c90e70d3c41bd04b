// Finds the compilers, interpreters and libraries of the peers on this machine. Nothing is
// installed or downloaded; a tool that is missing has the one command that installs it.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

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

/** Prints the interpreter's version and those of the modules named that it can import, as JSON. */
const pythonVersions = `
import importlib, importlib.metadata, json, platform, sys
def version(name):
    try:
        importlib.import_module(name)
        return importlib.metadata.version(name)
    except Exception:
        return None
modules = {name: version(name) for name in sys.argv[1:]}
print(json.dumps({"python": platform.python_version(), "modules": modules}))
`;

interface PythonVersions {
  readonly python: string;
  readonly modules: Readonly<Record<string, string | null>>;
}

const pythonModules = new Set<string>();
const askedPythons = new Map<string, PythonVersions | null>();

/** One process per interpreter answers for the modules of all peers. */
function versionsOf(program: string): PythonVersions | null {
  const known = askedPythons.get(program);
  if (known !== undefined) return known;
  const said = output(program, "-c", pythonVersions, ...pythonModules);
  const versions = said === null ? null : (JSON.parse(said) as PythonVersions);
  askedPythons.set(program, versions);
  return versions;
}

/** CPython with a module of its index, or alone. */
export function python(module?: string): Toolchain {
  if (module !== undefined) pythonModules.add(module);
  return {
    needs: module === undefined ? "Python 3.8 or newer" : `the Python module ${module}`,
    install: `apt-get install python3${module === undefined ? "" : `-${module}`}`,
    find: () =>
      firstOf(pythons, (program) => {
        const versions = versionsOf(program);
        if (versions === null) return null;
        const alone = `Python ${versions.python}`;
        if (module === undefined) return alone;
        const found = versions.modules[module] ?? null;
        return found === null ? null : `${alone}, ${module} ${found}`;
      }),
  };
}

interface CLibrary {
  readonly header: string;
  /** The macros of the header that hold the parts of its version. */
  readonly version: readonly string[];
  /** Its package there, unless it comes with the compiler. */
  readonly debian?: string;
  readonly language?: "c" | "c++";
}

/** A C or C++ compiler that finds a library's header. */
export function cLibrary(
  name: string,
  { header, version, debian = "", language = "c" }: CLibrary,
): Toolchain {
  const compilers = language === "c" ? ["cc", "gcc", "clang"] : ["c++", "g++", "clang++"];
  return {
    needs: `a ${language.toUpperCase()} compiler and ${name}`,
    install: `apt-get install build-essential ${debian}`.trim(),
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

/** The value of a macro, as `cc -dM` prints it. */
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
        const version = javaVersion(compiler);
        return Number.parseInt(version ?? "", 10) >= release ? `Java ${version}` : null;
      });
    },
  };
}

/** Reads a file of the JDK first, because `javac -version` starts a virtual machine. */
function javaVersion(compiler: string): string | null {
  const path = compiler.includes("/") ? compiler : onPath(compiler);
  if (path === null || !existsSync(path)) return null;
  const release = join(dirname(realpathSync(path)), "..", "release");
  const text = existsSync(release) ? readFileSync(release, "utf8") : "";
  const [, written] = /^JAVA_VERSION="([^"]+)"/m.exec(text) ?? [];
  return written ?? /javac (\S+)/.exec(output(path, "-version") ?? "")?.[1] ?? null;
}

function onPath(name: string): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** A runtime, asked for its own path: npm installs a wrapper, which would be another process. */
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
