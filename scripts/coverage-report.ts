/** What a coverage report in the LCOV format says was never run. */

/** What of one source file no test has run. */
export interface Uncovered {
  readonly file: string;
  readonly lines: readonly number[];
  /** The lines that have a branch nobody took; one that has two is there twice. */
  readonly branches: readonly number[];
}

/** How much there is, and what is missing. */
export interface CoverageReport {
  readonly lines: number;
  readonly branches: number;
  readonly uncovered: readonly Uncovered[];
}

/** Reads the files under `folder` of a report. */
export function readCoverage(lcov: string, folder: string): CoverageReport {
  const uncovered: Uncovered[] = [];
  let [lines, branches] = [0, 0];
  for (const record of lcov.split('end_of_record')) {
    const file = /^SF:(.*)$/mu.exec(record)?.[1] ?? '';
    if (!file.startsWith(folder)) continue;
    const linesOf = [...record.matchAll(/^DA:(\d+),(\d+)/gmu)];
    const branchesOf = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(-|\d+)$/gmu)];
    lines += linesOf.length;
    branches += branchesOf.length;
    const missing = {
      file,
      lines: linesOf.filter(([, , count]) => count === '0').map(([, line]) => Number(line)),
      branches: branchesOf.filter(([, , count]) => count === '0' || count === '-').map(([, line]) => Number(line)),
    };
    if (missing.lines.length > 0 || missing.branches.length > 0) uncovered.push(missing);
  }
  return { lines, branches, uncovered };
}
