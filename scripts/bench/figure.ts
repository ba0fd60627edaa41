/** One line of the printed table. */
export interface Row {
  /** What was measured. */
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  /** The same done without us, in the same run; null where there is no such thing. */
  readonly raw: number | null;
  /** What the raw thing is; what the figure means where there is none. */
  readonly against: string;
  /** Ours divided by raw, the median over pairs of rounds; null where there is no raw thing. */
  readonly ratio: number | null;
}

/** Figures that depend on two things: a line for each value of one, a column for each of the other. */
export interface Matrix {
  /** What the lines are, then what each column is. */
  readonly heads: readonly string[];
  readonly lines: readonly (readonly (string | number)[])[];
}

/** What running a figure gives. */
export interface FigureResult {
  readonly rows: readonly Row[];
  readonly matrix?: Matrix;
  /** What a reader must know to read the rows. */
  readonly notes: readonly string[];
}

/** How to run a figure. */
export interface FigureOptions {
  /** Few rounds and small sizes: shows that the figure works, not what it is. */
  readonly quick: boolean;
  /** An empty folder; removed afterwards. */
  readonly scratch: string;
  /** Told what is going on, for a person who waits. */
  readonly onStep: (step: string) => void;
}

/** One thing that is measured. */
export interface Figure {
  /** What `--only` calls it. */
  readonly name: string;
  /** One sentence for the table's head. */
  readonly title: string;
  run(options: FigureOptions): Promise<FigureResult>;
}
