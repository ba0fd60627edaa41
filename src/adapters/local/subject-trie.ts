/** One token on the way to some patterns. */
interface Node<T> {
  readonly children: Map<string, Node<T>>;
  /** What was added under a pattern that ends here. */
  readonly values: Set<T>;
  /** What was added under a pattern that ends here with `>`. */
  readonly tails: Set<T>;
}

function emptyNode<T>(): Node<T> {
  return { children: new Map(), values: new Set(), tails: new Set() };
}

function isEmpty<T>(node: Node<T>): boolean {
  return node.children.size === 0 && node.values.size === 0 && node.tails.size === 0;
}

/**
 * Finds the values whose pattern matches a subject, in time that grows with the tokens of the subject and not
 * with the number of patterns. Patterns and subjects are well formed (`checkSubjectPattern`, `checkSubject`).
 */
export class SubjectTrie<T> {
  readonly #root = emptyNode<T>();

  /** Adds a value under a pattern; a value is there once per pattern. */
  add(pattern: string, value: T): void {
    this.#values(this.#makeNode(pattern), pattern).add(value);
  }

  /** Removes a value from a pattern, and the way to it where nobody else needs it. */
  remove(pattern: string, value: T): void {
    const tokens = tokensOf(pattern);
    const path: Node<T>[] = [this.#root];
    for (const token of tokens) {
      const child = path.at(-1)?.children.get(token);
      if (child === undefined) return;
      path.push(child);
    }
    const last = path.at(-1) ?? this.#root;
    this.#values(last, pattern).delete(value);
    for (let depth = tokens.length; depth > 0; depth--) {
      const node = path[depth];
      const token = tokens[depth - 1];
      if (node === undefined || token === undefined || !isEmpty(node)) return;
      path[depth - 1]?.children.delete(token);
    }
  }

  /** The values whose pattern matches, in no particular order; a value twice where two of its patterns do. */
  match(subject: string): T[] {
    const found: T[] = [];
    collect(this.#root, subject.split('.'), 0, found);
    return found;
  }

  #makeNode(pattern: string): Node<T> {
    let node = this.#root;
    for (const token of tokensOf(pattern)) {
      let child = node.children.get(token);
      if (child === undefined) {
        child = emptyNode();
        node.children.set(token, child);
      }
      node = child;
    }
    return node;
  }

  #values(node: Node<T>, pattern: string): Set<T> {
    return hasTail(pattern) ? node.tails : node.values;
  }
}

function hasTail(pattern: string): boolean {
  return pattern === '>' || pattern.endsWith('.>');
}

/** The tokens of a pattern without its last `>`. */
function tokensOf(pattern: string): string[] {
  const tokens = pattern.split('.');
  return hasTail(pattern) ? tokens.slice(0, -1) : tokens;
}

function collect<T>(node: Node<T>, tokens: readonly string[], depth: number, found: T[]): void {
  const token = tokens[depth];
  if (token === undefined) {
    for (const value of node.values) found.push(value);
    return;
  }
  for (const value of node.tails) found.push(value);
  const exact = node.children.get(token);
  if (exact !== undefined) collect(exact, tokens, depth + 1, found);
  const any = node.children.get('*');
  if (any !== undefined) collect(any, tokens, depth + 1, found);
}
