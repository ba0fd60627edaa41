/**
 * Has this process take the end of its parent, also one that nothing could be done at, for the wish to stop. Only where the
 * parent made a channel to it and asked for it, as `bin/pouw.js` does; the channel keeps nobody alive.
 */
export function endWithParent(): void {
  const isAsked = process.env['POUW_ENDS_WITH_PARENT'] === '1' && process.channel !== undefined;
  // Not for what is started below this process.
  delete process.env['POUW_ENDS_WITH_PARENT'];
  if (!isAsked) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
