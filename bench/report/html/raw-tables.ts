// Every cell with every figure: one table per workload, with a column per metric.

import type { Results } from "../../model/results.ts";
import { rawTable } from "../charts/whole.ts";
import { count, plainLine } from "../format.ts";
import { element, type Markup, text } from "../markup.ts";
import { tableRegion } from "./table.ts";

/** One closed table a workload, in the order of the results. */
export function rawTables(results: Results): Markup[] {
  const workloads = [...new Set(results.cells.map(({ workload }) => workload))];
  return workloads.map((workload) => {
    const cells = results.cells.filter((cell) => cell.workload === workload);
    const title = `${plainLine(workload)}: ${count(cells.length)} cells`;
    return element(
      "details",
      { class: "folded raw" },
      element("summary", {}, text(title)),
      tableRegion(rawTable(cells), { caption: title, byContender: true }),
    );
  });
}
