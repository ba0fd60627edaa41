import type { Command } from 'commander';

/** How a command that is no node gets at NATS. */
export interface NatsPeerOptions {
  readonly nats: string;
  /** The seed file of an operator or observer. */
  readonly natsKey?: string;
  readonly natsCa?: string;
  readonly natsCert?: string;
  readonly natsCertKey?: string;
}

/** Gives a command the options of {@link NatsPeerOptions}, with the names nodes have them by. */
export function withNatsOptions(command: Command, whoseKey: string): Command {
  return natsPeerOptions(
    command.option('--nats <urls>', 'servers of NATS, commas between them; tls:// for encryption', localServer),
    whoseKey,
  );
}

/** Gives a command the options that say who we are to NATS, and whom we trust. */
export function natsPeerOptions(command: Command, whoseKey: string): Command {
  return command
    .option('--nats-key <file>', `file with the seed of the nkey of ${whoseKey}`)
    .option('--nats-ca <file>', 'PEM file of the authorities that may vouch for the servers')
    .option('--nats-cert <file>', 'PEM file of a certificate, where the servers ask for one')
    .option('--nats-cert-key <file>', 'PEM file of the certificate’s key');
}

const localServer = 'nats://127.0.0.1:4222';
