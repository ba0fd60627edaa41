import type { ChildProcess } from 'node:child_process';

const ours = new Set<ChildProcess>();

/** Has a child end when this process ends without having stopped it: by a defect, or by a signal that waits for nothing. */
export function endWithUs(child: ChildProcess): void {
  if (ours.size === 0) process.on('exit', endAll);
  ours.add(child);
  child.once('exit', () => {
    ours.delete(child);
    if (ours.size === 0) process.off('exit', endAll);
  });
}

function endAll(): void {
  for (const child of ours) {
    // A frozen process takes a friendly signal only when it goes on.
    child.kill('SIGCONT');
    child.kill('SIGTERM');
  }
}
