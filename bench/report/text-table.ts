// A table of text for a terminal: columns as wide as needed, two header lines, colour.

export type Style = "plain" | "bold" | "dim" | "green" | "yellow" | "red";

export interface Column<Row> {
  /** Two header lines, either may be empty. */
  readonly title: readonly [string, string];
  readonly align: "left" | "right";
  readonly text: (row: Row) => string;
  readonly style?: (row: Row) => Style;
}

/** Wraps text in a style, or leaves it alone. */
export type Paint = (text: string, style: Style) => string;

/** @param colour false gives a Paint that changes nothing. @see ECMA-48, SGR */
export function painter(colour: boolean): Paint {
  const codes: Record<Style, number> = {
    plain: 0,
    bold: 1,
    dim: 2,
    red: 31,
    green: 32,
    yellow: 33,
  };
  return (text, style) =>
    colour && style !== "plain" && text !== "" ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
}

/** The table's width in columns of the terminal; all our text is one column a character. */
export function tableWidth<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  gap: number,
): number {
  const widths = columnWidths(columns, rows);
  return widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1);
}

/** Two header lines and a line a row, without trailing spaces. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { gap, paint }: { readonly gap: number; readonly paint: Paint },
): string[] {
  const widths = columnWidths(columns, rows);
  const join = (entry: (column: Column<Row>) => string, style: (column: Column<Row>) => Style) =>
    columns
      .map((column, index) => {
        const text = entry(column);
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - text.length));
        const painted = paint(text, style(column));
        return column.align === "left" ? painted + padding : padding + painted;
      })
      .join(" ".repeat(gap))
      .trimEnd();
  return [
    join(
      (column) => column.title[0],
      () => "dim",
    ),
    join(
      (column) => column.title[1],
      () => "dim",
    ),
    ...rows.map((row) =>
      join(
        (column) => column.text(row),
        (column) => column.style?.(row) ?? "plain",
      ),
    ),
  ];
}

/** Rows of plain columns, each as wide as its widest entry, with two spaces between. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const lengthOf = (text = "") => [...text].length;
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => lengthOf(cells[column]))),
  );
  return rows.map((cells) =>
    cells
      .map((text, column) => text + " ".repeat((widths[column] ?? 0) - lengthOf(text)))
      .join("  ")
      .trimEnd(),
  );
}

/** Text broken at spaces; following lines start with the indent. A longer word stays whole. */
export function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  // A number and its percent sign stay together.
  for (const word of text.split(/ (?!%)/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A line whose columns are aligned: what does not fit goes on below its last column. */
export function wrapLast(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  const start = /^(?:.*\s{2,})?/.exec(line)?.[0].length ?? 0;
  const at = start > (2 * width) / 3 ? (/^\s*/.exec(line)?.[0].length ?? 0) : start;
  const indent = " ".repeat(at);
  const [first = "", ...rest] = wrap(line.slice(at), width - at);
  return [line.slice(0, at) + first, ...rest.map((more) => indent + more)];
}

/** A heading on two lines; of an odd number of words, one line has the word in the middle. */
export function halves(title: string, longer: "first" | "second"): [string, string] {
  const words = title.split(" ");
  const half = (longer === "first" ? Math.ceil : Math.floor)(words.length / 2);
  return [words.slice(0, half).join(" "), words.slice(half).join(" ")];
}

function columnWidths<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number[] {
  return columns.map((column) =>
    Math.max(
      ...column.title.map((line) => line.length),
      ...rows.map((row) => column.text(row).length),
    ),
  );
}
