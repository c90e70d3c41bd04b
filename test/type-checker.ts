// A type checker of one folder that keeps its parsed files, and that stops at the first error of a
// tree in which one file differs: such a check takes a fraction of the first.

import { basename, join } from "node:path";
import ts from "typescript";

export class TypeChecker {
  readonly #config: ts.ParsedCommandLine;
  readonly #host: ts.CompilerHost;
  readonly #files = new Map<string, ts.SourceFile | undefined>();
  #changed: { readonly path: string; readonly text: string } | undefined;
  #program: ts.Program | undefined;

  /** @param folder holds the tsconfig.json. @throws {Error} if there is none. */
  constructor(folder: string) {
    const fail = (diagnostic: ts.Diagnostic) => {
      throw new Error(words(diagnostic));
    };
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
    const path = join(folder, "tsconfig.json");
    const config = ts.getParsedCommandLineOfConfigFile(path, { noEmit: true }, host);
    if (config === undefined) throw new Error(`no tsconfig.json in ${folder}`);
    this.#config = config;
    this.#host = ts.createCompilerHost(config.options);
    const read = this.#host.getSourceFile.bind(this.#host);
    this.#host.getSourceFile = (name, target, onError) => {
      if (name === this.#changed?.path) {
        return ts.createSourceFile(name, this.#changed.text, target, true);
      }
      if (!this.#files.has(name)) this.#files.set(name, read(name, target, onError));
      return this.#files.get(name);
    };
  }

  /** The errors of the folder, one line each. */
  complaints(): string[] {
    this.#changed = undefined;
    const program = this.#parse();
    const syntax = program.getSyntacticDiagnostics();
    return [...syntax, ...program.getSemanticDiagnostics()].map(words);
  }

  /**
   * The first error of the folder with one file's text replaced, or null. That file goes first,
   * then the files that import it.
   */
  firstComplaint(path: string, text: string): string | null {
    this.#changed = { path, text };
    const program = this.#parse();
    const all = program.getSourceFiles();
    const changed = all.filter(({ fileName }) => fileName === path);
    const end = `/${basename(path)}"`;
    const importers = all.filter((file) => file.text.includes(end));
    for (const file of new Set([...changed, ...importers, ...all])) {
      const syntax = program.getSyntacticDiagnostics(file);
      const [first] = [...syntax, ...program.getSemanticDiagnostics(file)];
      if (first !== undefined) return words(first);
    }
    return null;
  }

  #parse(): ts.Program {
    const { fileNames, options } = this.#config;
    this.#program = ts.createProgram(fileNames, options, this.#host, this.#program);
    return this.#program;
  }
}

function words({ file, messageText }: ts.Diagnostic): string {
  return `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
}
