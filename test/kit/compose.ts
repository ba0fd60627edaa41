import { parse } from 'yaml';
import { trackedText } from '../../scripts/tracked-files.ts';

/** A service of `compose.yaml`, with what its anchors merge into it. */
export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** What `compose.yaml` says. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
}

/** Reads `compose.yaml` as Compose does, which merges with `<<`. */
export function composeFile(): ComposeFile {
  return parse(trackedText('compose.yaml'), { merge: true }) as ComposeFile;
}

/** A mount: a volume by its name, or a file of the repository, and where it is in the container. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** The mounts of a service. */
export function mountsOf({ volumes = [] }: ComposeService): Mount[] {
  return volumes.map((text) => {
    const [source = '', target = '', mode] = text.split(':');
    return { source, target, isReadOnly: mode === 'ro' };
  });
}

/** The services that run one `pouw` command each, as the image does by itself. */
export function pouwServices({ services }: ComposeFile): [name: string, service: ComposeService][] {
  return Object.entries(services).filter(([, { image, entrypoint }]) => image === 'pouw' && entrypoint === undefined);
}
