import { hasValidationEnded } from '../../../actors/validator/validations.ts';
import type { ValidatorContext } from '../../../actors/validator/context.ts';
import type { ChainFact } from '../../core/chain-fact.ts';
import type { Address, TaskId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';

/** The tasks that the chain has given to a validator and that are not over, as far as this process has seen. */
export class DrawnTasks {
  readonly #validator: Address;
  readonly #tasks = new Set<TaskId>();

  constructor(validator: Address) {
    this.#validator = validator;
  }

  see(fact: ChainFact): void {
    if (fact.type === 'MinersAssigned') {
      if (fact.validators.includes(this.#validator) && this.#tasks.size < limits.validatorDrawnMax)
        this.#tasks.add(fact.task);
    } else if (fact.type === 'TaskSettled' || fact.type === 'TaskRefunded') {
      this.#tasks.delete(fact.task);
    }
  }

  /** Those that the validator has not judged, whether it was asked to yet or not. */
  unjudged({ validations }: ValidatorContext): readonly TaskId[] {
    const open = Object.entries(validations).flatMap(([task, folded]) =>
      hasValidationEnded(folded) ? [] : [task as TaskId],
    );
    const coming = [...this.#tasks].filter((task) => validations[task] === undefined);
    return [...open, ...coming];
  }
}
