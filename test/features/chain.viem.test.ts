import { chainFeatures } from './chain.features.ts';
import { startLocalChain } from './chain.local-chain.ts';

chainFeatures('viem on anvil', () => startLocalChain());
