// Schemas that are the type and the check of a value at once, so that neither can drift from the
// other. Each check names the field that is wrong and what it holds; unknown fields are kept.

/** Describes what is wrong with a value; null if nothing is. The path is the place of the value. */
export interface Schema<T> {
  readonly check: (value: unknown, path: string) => string | null;
  /** Never set: carries the type. */
  readonly type?: T;
}

/** A field that may be missing. */
interface Optional<T> extends Schema<T> {
  readonly optional: true;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

type Fields = Readonly<Record<string, Schema<unknown>>>;
type RecordOf<F extends Fields> = {
  readonly [N in keyof F as F[N] extends Optional<unknown> ? never : N]: Infer<F[N]>;
} & { readonly [N in keyof F as F[N] extends Optional<unknown> ? N : never]?: Infer<F[N]> };

function of<T>(expected: string, holds: (value: unknown) => boolean): Schema<T> {
  return { check: (value, path) => (holds(value) ? null : unexpected(path, expected, value)) };
}

export const text = of<string>("a string", (value) => typeof value === "string");
export const number = of<number>("a number", (value) => Number.isFinite(value));
export const boolean = of<boolean>("true or false", (value) => typeof value === "boolean");
export const amount = of<number>(
  "a whole number, 0 or more",
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
);
export const time = of<string>(
  "a time in UTC such as 2026-11-21T09:30:00Z",
  (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value),
);
export const anything: Schema<unknown> = { check: () => null };

export function oneOf<const T extends string | number>(...words: readonly T[]): Schema<T> {
  const expected = words.length === 1 ? String(words[0]) : `one of ${words.join(", ")}`;
  return of<T>(expected, (value) => words.some((word) => word === value));
}

export function nullable<T>({ check }: Schema<T>): Schema<T | null> {
  return { check: (value, path) => (value === null ? null : check(value, path)) };
}

export function optional<T>({ check }: Schema<T>): Optional<T> {
  return { check, optional: true };
}

export function list<T>({ check }: Schema<T>): Schema<readonly T[]> {
  return {
    check: (value, path) => {
      if (!Array.isArray(value)) return unexpected(path, "an array", value);
      return first(value, (item, index) => check(item, `${path}[${index}]`));
    },
  };
}

/** A list that is not empty. */
export function some<T>(item: Schema<T>): Schema<readonly T[]> {
  const { check } = list(item);
  return {
    check: (value, path) =>
      Array.isArray(value) && value.length === 0
        ? `${path}: expected at least one value`
        : check(value, path),
  };
}

/** An object whose fields all satisfy one schema. */
export function mapOf<T>({ check }: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return {
    check: (value, path) => {
      if (!isRecord(value)) return unexpected(path, "an object", value);
      return first(Object.entries(value), ([name, item]) => check(item, join(path, name)));
    },
  };
}

/** An object with at least these fields. */
export function record<const F extends Fields>(fields: F): Schema<RecordOf<F>> {
  const rows = Object.entries(fields);
  return {
    check: (value, path) => {
      if (!isRecord(value)) return unexpected(path, "an object", value);
      return first(rows, ([name, field]) => {
        const item = value[name];
        if (item !== undefined) return field.check(item, join(path, name));
        return "optional" in field ? null : `${join(path, name)} is missing`;
      });
    },
  };
}

/** Records that one field names; each other one is checked by the record of its name. */
export function variants<
  const T extends Readonly<Record<string, Schema<unknown>>>,
  K extends string,
>(
  tag: K,
  records: T,
): Schema<{ [N in keyof T]: { readonly [tag in K]: N } & Infer<T[N]> }[keyof T]> {
  return {
    check: (value, path) => {
      if (!isRecord(value)) return unexpected(path, "an object", value);
      const name = value[tag];
      const known = typeof name === "string" && Object.hasOwn(records, name);
      if (!known) return unexpected(join(path, tag), Object.keys(records).join(", "), name);
      return records[name]?.check(value, path) ?? null;
    },
  };
}

/** Whether a value satisfies a schema. */
export function satisfies<T>({ check }: Schema<T>, value: unknown): value is T {
  return check(value, "") === null;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** "expected a number, got "2"", with the place of the value before it. */
export function unexpected(path: string, expected: string, value: unknown): string {
  return `${path === "" ? "" : `${path}: `}expected ${expected}, got ${shown(value)}`;
}

function first<T>(items: readonly T[], check: (item: T, index: number) => string | null) {
  for (const [index, item] of items.entries()) {
    const complaint = check(item, index);
    if (complaint !== null) return complaint;
  }
  return null;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (isRecord(value)) return "an object";
  const literal = typeof value === "string" ? JSON.stringify(value) : String(value);
  return literal.length > 60 ? `${literal.slice(0, 57)}…` : literal;
}
