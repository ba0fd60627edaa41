import type { Hex } from '../../core/hash.ts';
import type { Address } from '../../core/ids.ts';
import type { AllowanceCall } from '../../ports/chain-allowances.ts';
import type { UseCall } from '../../ports/chain-use.ts';
import type { ChainCall, Deployment } from '../../ports/chain.ts';
import { allowanceCall } from './allowance-calls.ts';
import { useCall } from './use-calls.ts';

/** A call about who may spend what of which session. */
type PaymentCall = AllowanceCall | UseCall;

const names: ReadonlySet<ChainCall['call']> = new Set<PaymentCall['call']>([
  'useAllowance',
  'revokeAllowance',
  'revokeNonce',
  'fundPool',
  'stakeForUse',
  'requestUseUnstake',
  'withdrawUseStake',
  'openPooled',
  'topUpPooled',
  'submitPooled',
  'closePooled',
]);

/** Whether a call is for the contract of the allowances, or that of the stakes for use. */
export function isPaymentCall(call: ChainCall): call is PaymentCall {
  return names.has(call.call);
}

/** The contract that such a call is for, and what it is encoded as. */
export function paymentCall(on: Deployment, call: PaymentCall, effect: Hex): readonly [Address, Hex] {
  switch (call.call) {
    case 'useAllowance':
    case 'revokeAllowance':
    case 'revokeNonce':
      return [on.allowances, allowanceCall(call, effect)];
    default:
      return [on.stakeToUse, useCall(call, effect)];
  }
}
