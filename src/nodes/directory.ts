import type { ChainFact } from '../core/chain-fact.ts';
import type { Hex } from '../core/hash.ts';
import type { Address, Role } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { RegisteredNode } from '../ports/chain.ts';

/** The registry as this process has seen it: whose key is whose, and who may act as what. */
export class NodeDirectory {
  readonly #nodes = new Map<Address, RegisteredNode>();
  /** Apart, since anybody may register as a client for nothing: clients take no node's place. */
  readonly #clients = new Map<Address, RegisteredNode>();

  /** Takes what the chain has now. */
  load(nodes: readonly RegisteredNode[]): void {
    for (const node of nodes) this.#add(node);
  }

  /** Takes a fact of the chain; others than the registry's change nothing. */
  apply(fact: ChainFact): void {
    if (fact.type === 'NodeRegistered') {
      const { node, roles, key, stakeWei } = fact;
      this.#add({ node, roles, key, stakeWei, active: true });
    } else if (fact.type === 'NodeActiveSet') {
      const known = this.#get(fact.node);
      if (known !== undefined) this.#add({ ...known, active: fact.active });
    }
  }

  /** The registered key of a node; undefined where it is unknown. */
  readonly keyOf = (node: Address): Hex | undefined => this.#get(node)?.key;

  /** All that are registered, clients included. */
  *addresses(): Iterable<Address> {
    yield* this.#nodes.keys();
    yield* this.#clients.keys();
  }

  /** Whether a node is registered in a role and active. */
  isActive(node: Address, role: Role): boolean {
    const record = this.#get(node);
    return record !== undefined && record.roles.includes(role) && record.active;
  }

  /** Whether a node is registered in a role, active or not. */
  isRegistered(node: Address, role: Role): boolean {
    return this.#get(node)?.roles.includes(role) === true;
  }

  /** The active nodes of a role, in order of address. */
  active(role: Role): readonly RegisteredNode[] {
    return [...this.#nodes.values(), ...this.#clients.values()]
      .filter((node) => node.roles.includes(role) && node.active)
      .toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  #add(node: RegisteredNode): void {
    const known = node.roles.every((role) => role === 'client') ? this.#clients : this.#nodes;
    if (known.size < limits.registryNodesMax || known.has(node.node)) known.set(node.node, node);
  }

  #get(node: Address): RegisteredNode | undefined {
    return this.#nodes.get(node) ?? this.#clients.get(node);
  }
}
