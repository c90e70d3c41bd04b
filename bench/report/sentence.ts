// Sentences that know which of their words are names, so that a page can set those as code.

import { plainLine } from "./format.ts";

export interface Name {
  readonly name: string;
}
export type Sentence = readonly (string | Name)[];

/** A template whose values are text, numbers, names or whole sentences. */
export function say(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Name | Sentence)[]
): Sentence {
  const parts = strings.flatMap((text, index) => {
    const value = values[index];
    if (value === undefined) return [text];
    if (typeof value === "object" && "length" in value) return [text, ...value];
    return [text, typeof value === "number" ? String(value) : value];
  });
  return merged(parts);
}

/** "a, b and c", of names or of sentences. */
export function enumerated(items: readonly (Name | Sentence)[]): Sentence {
  const last = items.length - 1;
  return merged(
    items.flatMap((item, index) => {
      const between = index === 0 ? [] : [index === last ? " and " : ", "];
      return [...between, ...("length" in item ? item : [item])];
    }),
  );
}

/** Sentences one after the other, with something between them. */
export function joined(sentences: readonly Sentence[], between: string): Sentence {
  const parts = sentences.flatMap((one, index) => (index === 0 ? one : [between, ...one]));
  return merged(parts);
}

export function nameOf(contender: string): Name {
  return { name: contender };
}

export function namesOf(cells: readonly { readonly contender: string }[]): Sentence {
  return enumerated(cells.map(({ contender }) => ({ name: contender })));
}

/** Of more contenders than these a sentence names three; tables have all of them. */
export const mostListed = 5;

/** The contenders of some cells, each once: "a, b, c and 4 others". */
export function someOf(cells: readonly { readonly contender: string }[]): Sentence {
  const names = [...new Set(cells.map(({ contender }) => contender))].map(nameOf);
  if (names.length <= mostListed) return enumerated(names);
  return enumerated([...names.slice(0, 3), [`${names.length - 3} others`]]);
}

/** As text without any marks. */
export function plain(sentence: Sentence): string {
  return sentence.map((part) => (typeof part === "string" ? part : plainLine(part.name))).join("");
}

function merged(parts: Sentence): Sentence {
  const all: (string | Name)[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (part === "") continue;
    if (typeof part === "string" && typeof last === "string") all[all.length - 1] = last + part;
    else all.push(part);
  }
  return all;
}
