import { Command, InvalidArgumentError } from 'commander';
import { folderOption, wholeNumber } from './parse-options.ts';

/** What `pouw nats-config` was asked for. */
export interface NatsConfigOptions {
  readonly members: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly store: string;
  readonly maxFileBytes?: number;
  readonly monitorPort?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly verifyClients?: boolean;
  readonly cluster?: string;
  readonly clusterPort: number;
  readonly route?: readonly string[];
}

function serverName(text: string): string {
  if (/^[\w.-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 letters, digits, dots, dashes or underscores.');
}

/** Collects the cluster ports of other servers: `host:port`, an IPv6 address in brackets. */
function route(text: string, before: readonly string[] = []): readonly string[] {
  const [, port] = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  if (Number(port) >= 1 && Number(port) <= 65_535) return [...before, text];
  throw new InvalidArgumentError('It must be host:port, such as nats-2.internal:6222.');
}

/** `pouw nats-config`: the configuration of a NATS server in which every node may do what its role needs, and no more. */
export function natsConfigCommand(): Command {
  return new Command('nats-config')
    .description('Print a NATS server’s configuration: one nkey user per node, with the least subjects its role needs.')
    .requiredOption('--members <file>', 'one line of JSON per member, as `pouw keys --json` prints it')
    .option('--name <name>', 'the server’s name, unlike that of any other of its cluster', serverName, 'pouw')
    .option('--host <address>', 'address it listens on', '127.0.0.1')
    .option('--port <port>', 'port it listens on', wholeNumber(1, 65_535), 4_222)
    .requiredOption('--store <dir>', 'folder of its JetStream store', folderOption)
    .option(
      '--max-file-bytes <n>',
      'bytes its store may take; default three quarters of what is free',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--monitor-port <port>', 'port for health and figures, on 127.0.0.1 only', wholeNumber(1, 65_535))
    .option('--tls-cert <file>', 'PEM file of its certificate: clients, and the other servers, connect encrypted')
    .option('--tls-key <file>', 'PEM file of the certificate’s key')
    .option('--tls-ca <file>', 'PEM file of the authority that vouches for clients and the other servers')
    .option('--verify-clients', 'clients must show a certificate of that authority too')
    .option('--cluster <name>', 'the cluster it is a server of', serverName)
    .option('--cluster-port <port>', 'port for the other servers of the cluster', wholeNumber(1, 65_535), 6_222)
    .option('--route <host:port...>', 'cluster ports of the other servers', route)
    .action(async (options: NatsConfigOptions) => {
      const { natsConfig, requireCertificates } = await import('./nats-config-run.ts');
      await requireCertificates(options);
      process.stdout.write(natsConfig(options));
    });
}
