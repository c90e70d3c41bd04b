// A type checker of one folder that keeps what it knows: a second look at a tree of which one file
// differs takes a tenth of the first.

import { join } from "node:path";
import ts from "typescript";

export class TypeChecker {
  readonly #config: ts.ParsedCommandLine;
  readonly #host: ts.CompilerHost;
  readonly #files = new Map<string, ts.SourceFile | undefined>();
  readonly #changed = new Map<string, string>();
  #program: ts.SemanticDiagnosticsBuilderProgram | undefined;
  #versions = 0;

  /** @param folder holds the tsconfig.json. @throws {Error} where there is none. */
  constructor(folder: string) {
    const fail = (diagnostic: ts.Diagnostic) => {
      throw new Error(words(diagnostic));
    };
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
    const options = { noEmit: true, incremental: true };
    const config = ts.getParsedCommandLineOfConfigFile(
      join(folder, "tsconfig.json"),
      options,
      host,
    );
    if (config === undefined) throw new Error(`no tsconfig.json in ${folder}`);
    this.#config = config;
    this.#host = ts.createIncrementalCompilerHost(config.options);
    const read = this.#host.getSourceFile.bind(this.#host);
    this.#host.getSourceFile = (name, target, onError) => {
      const text = this.#changed.get(name);
      if (text === undefined && this.#files.has(name)) return this.#files.get(name);
      const file =
        text === undefined
          ? read(name, target, onError)
          : ts.createSourceFile(name, text, target, true);
      // The builder tells a file that changed by its version.
      if (file !== undefined) Object.assign(file, { version: String(++this.#versions) });
      if (text === undefined) this.#files.set(name, file);
      return file;
    };
  }

  /** What the compiler says of the folder, with one file's text replaced; one line per error. */
  complaints(path?: string, text?: string): string[] {
    this.#changed.clear();
    if (path !== undefined && text !== undefined) this.#changed.set(path, text);
    this.#program = ts.createSemanticDiagnosticsBuilderProgram(
      this.#config.fileNames,
      this.#config.options,
      this.#host,
      this.#program,
    );
    const syntax = this.#program.getSyntacticDiagnostics();
    return [...syntax, ...this.#program.getSemanticDiagnostics()].map(words);
  }
}

function words({ file, messageText }: ts.Diagnostic): string {
  return `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
}
