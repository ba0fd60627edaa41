import { type Attack, engineWith } from './attack.ts';

/** Takes jobs, says on chain that it works, and never answers. */
export const silent: Attack = {
  name: 'silent',
  summary: 'acknowledges its tasks and never answers',
  engine: (honest) =>
    engineWith(honest, {
      // oxlint-disable-next-line require-yield -- an answer that never begins is the attack.
      async *generate(request) {
        await new Promise<never>((_, fail) => {
          request.signal?.addEventListener('abort', () => fail(request.signal?.reason as Error), { once: true });
        });
      },
    }),
};
