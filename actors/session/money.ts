import type { Event } from '../../src/core/commit.ts';
import { addWei, lessWei, subWei, type Wei, zeroWei } from '../../src/core/wei.ts';
import type { SessionContext, SessionMoney } from './context.ts';
import type { SessionEvent } from './events.ts';

/** The session's money after an event. Every branch moves an amount from one place to another. */
export function moneyAfter(context: SessionContext, raw: Event): SessionMoney {
  const event = raw as SessionEvent;
  const { money } = context;
  switch (event.type) {
    case 'SessionDeposited':
      return {
        ...money,
        depositedWei: addWei(money.depositedWei, event.amountWei),
        balanceWei: addWei(money.balanceWei, event.amountWei),
      };
    case 'SessionDepositReverted':
      return {
        ...money,
        depositedWei: subWei(money.depositedWei, event.amountWei),
        balanceWei: subWei(money.balanceWei, event.amountWei),
      };
    case 'TaskSubmitted':
      return {
        ...money,
        balanceWei: subWei(money.balanceWei, event.maxPriceWei),
        escrowedWei: addWei(money.escrowedWei, event.maxPriceWei),
      };
    case 'TaskQueuedOnChain': {
      const setAside = context.tasks[event.task]?.context.escrowWei ?? zeroWei;
      return {
        ...money,
        balanceWei: subWei(addWei(money.balanceWei, setAside), event.escrowWei),
        escrowedWei: addWei(subWei(money.escrowedWei, setAside), event.escrowWei),
      };
    }
    case 'TaskSettled':
      return {
        ...money,
        escrowedWei: subWei(money.escrowedWei, addWei(event.priceWei, event.returnedWei)),
        balanceWei: addWei(money.balanceWei, event.returnedWei),
        paidWei: addWei(money.paidWei, event.priceWei),
      };
    case 'AssignmentLost':
      return {
        ...money,
        escrowedWei: addWei(money.escrowedWei, event.priceWei, event.returnedWei),
        balanceWei: subWei(money.balanceWei, event.returnedWei),
        paidWei: subWei(money.paidWei, event.priceWei),
      };
    case 'BatchVoided':
      return {
        ...money,
        paidWei: subWei(money.paidWei, event.returnedWei),
        balanceWei: addWei(money.balanceWei, event.returnedWei),
      };
    case 'TaskRefunded':
      return {
        ...money,
        escrowedWei: subWei(money.escrowedWei, event.returnedWei),
        balanceWei: addWei(money.balanceWei, event.returnedWei),
      };
    case 'SessionClosed':
      return {
        ...money,
        balanceWei: subWei(money.balanceWei, event.refundedWei),
        refundedWei: addWei(money.refundedWei, event.refundedWei),
      };
    case 'SessionCloseReverted':
      return {
        ...money,
        balanceWei: addWei(money.balanceWei, event.refundedWei),
        refundedWei: subWei(money.refundedWei, event.refundedWei),
      };
    default:
      return money;
  }
}

/** Whether the balance no longer covers one task at the session's highest price. */
export function isShort(context: SessionContext, balanceWei: Wei): boolean {
  return context.terms !== null && lessWei(balanceWei, context.terms.maxTaskPriceWei);
}

/** Whether money is where it must be. */
export function isConserved(money: SessionMoney): boolean {
  return money.depositedWei === addWei(money.balanceWei, money.escrowedWei, money.paidWei, money.refundedWei);
}
