import type { ChainFact } from '../core/chain-fact.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, Role } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { NodeRecord } from '../ports/chain.ts';

/** The registry as this process has seen it: whose key is whose, and who may act as what. */
export class NodeDirectory {
  readonly #nodes = new Map<Address, NodeRecord>();
  /** Apart, since anybody may register as a client for nothing: clients take no node's place. */
  readonly #clients = new Map<Address, NodeRecord>();

  /** Takes what the chain has now. */
  load(nodes: readonly NodeRecord[]): void {
    for (const node of nodes) this.#add(node);
  }

  /** Takes a fact of the chain; others than the registry's change nothing. */
  apply(fact: ChainFact): void {
    if (fact.type === 'NodeRegistered') {
      const { node, role, key, stakeWei } = fact;
      this.#add({ node, role, key, stakeWei, active: true });
    } else if (fact.type === 'NodeActiveSet') {
      const known = this.#get(fact.node);
      if (known !== undefined) this.#add({ ...known, active: fact.active });
    }
  }

  /** The registered key of a node; undefined where it is unknown. */
  readonly keyOf = (node: Address): Hex | undefined => this.#get(node)?.key;

  /** Whether a node is registered in a role and active. */
  isActive(node: Address, role: Role): boolean {
    const record = this.#get(node);
    return record !== undefined && record.role === role && record.active;
  }

  /** The active nodes of a role, in order of address. */
  active(role: Role): readonly NodeRecord[] {
    return [...this.#nodes.values(), ...this.#clients.values()]
      .filter((node) => node.role === role && node.active)
      .toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  #add(node: NodeRecord): void {
    const known = node.role === 'client' ? this.#clients : this.#nodes;
    if (known.size < limits.registryNodesMax || known.has(node.node)) known.set(node.node, node);
  }

  #get(node: Address): NodeRecord | undefined {
    return this.#nodes.get(node) ?? this.#clients.get(node);
  }
}
