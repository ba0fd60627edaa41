import { assign, setup } from 'xstate';
import { effectAction, effects } from '../../src/core/effect-action.ts';
import { compileFold } from '../../src/core/fold.ts';
import { type ClientContext, emptyClient } from './context.ts';
import { contractEffects, contractsAfter, contractTakes } from './contracts.ts';
import { type ClientEvent, type ClientStarted, contractEventTypes } from './events.ts';

/** Goes up when the fold of a client or of its sessions changes in a way that old snapshots cannot follow. */
export const clientMachineVersion = 2;

const clientSetup = setup({
  types: { context: {} as ClientContext, events: {} as ClientEvent },
  guards: { contractTakes: ({ context, event }) => contractTakes(context, event) },
  actions: {
    configure: assign(({ event }) => ({ client: (event as ClientStarted).client })),
    foldContract: assign(({ context, event }) => contractsAfter(context, event)),
    runContractEffects: effectAction,
  },
});

const takes = {
  guard: 'contractTakes',
  actions: [
    effects('runContractEffects', ({ context, event }: { context: ClientContext; event: ClientEvent }) =>
      contractEffects(context, event),
    ),
    'foldContract',
  ],
} as const;

/** A client with its sessions inside. Used as a fold over events. */
export const clientMachine = clientSetup.createMachine({
  id: 'client',
  context: emptyClient,
  initial: 'offline',
  states: {
    offline: { on: { ClientStarted: { target: 'active', actions: 'configure' } } },
    active: {
      on: Object.fromEntries(contractEventTypes.map((type) => [type, takes])) as Record<
        (typeof contractEventTypes)[number],
        typeof takes
      >,
    },
  },
});

/** The client machine as a pure function over events. */
export const foldClient = compileFold<ClientContext>(clientMachine);
