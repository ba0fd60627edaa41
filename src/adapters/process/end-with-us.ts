import { type ChildProcess, spawn } from 'node:child_process';

const ours = new Set<ChildProcess>();
let guard: ChildProcess | undefined;

/**
 * What a shell does that outlives us: it hears which children there are, and as soon as it hears no more because we have
 * ended, whatever ended us, it ends them.
 */
const guardScript = `
trap '' INT TERM HUP
pids=
while read -r sign pid; do
  left=
  for one in $pids; do [ "$one" = "$pid" ] || left="$left $one"; done
  pids=$left
  [ "$sign" = - ] || pids="$pids $pid"
done
for one in $pids; do kill -CONT "$one"; kill -TERM "$one"; done
`;

/** Has the children of {@link endWithUs} end also where this process is killed and can end nobody any more. */
export function guardChildren(): void {
  if (guard !== undefined) return;
  // Apart from our group, so that a Ctrl-C to that is none for it.
  guard = spawn('sh', ['-c', guardScript], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  for (const child of ours) tell('+', child);
}

function tell(sign: '+' | '-', { pid }: ChildProcess): void {
  if (pid !== undefined) guard?.stdin?.write(`${sign} ${pid}\n`);
}

/** Has a child end when this process ends without having stopped it: by a defect, or by a signal that waits for nothing. */
export function endWithUs(child: ChildProcess): void {
  if (ours.size === 0) process.on('exit', endAll);
  ours.add(child);
  tell('+', child);
  child.once('exit', () => {
    ours.delete(child);
    tell('-', child);
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
