import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { PouwError } from '../../core/errors.ts';
import { userHome } from '../process/user-home.ts';

/** Where a model's files come from. */
export type ModelSource =
  | { readonly from: 'folder'; readonly id: string; readonly folder: string }
  | { readonly from: 'hub'; readonly id: string };

const hubId = /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/;
const isFolderPath = /^(\.{1,2}[\\/]|[\\/]|~[\\/]|[A-Za-z]:[\\/])/;

/** The models that lie in a folder of models, by name. */
export function localModels(modelsDir: string): readonly string[] {
  if (!existsSync(modelsDir)) return [];
  return readdirSync(modelsDir, { withFileTypes: true })
    .filter((entry) => existsSync(join(modelsDir, entry.name, 'config.json')))
    .map((entry) => entry.name)
    .toSorted();
}

/**
 * Finds out what a model's name means: the name of a folder under `modelsDir`, the path of a folder (its
 * model is then called by the folder's own name), or a hub id `owner/name`.
 *
 * @throws PouwError `model_not_found` with the names there are.
 */
export function resolveModel(name: string, modelsDir: string): ModelSource {
  const known = localModels(modelsDir);
  if (known.includes(name)) return { from: 'folder', id: name, folder: join(modelsDir, name) };
  const folder = resolve(name.replace(/^~(?=[\\/])/, () => userHome()));
  if (existsSync(join(folder, 'config.json'))) return { from: 'folder', id: basename(folder), folder };
  if (hubId.test(name) && !isFolderPath.test(name)) return { from: 'hub', id: name };
  throw modelNotFound(name, known, isFolderPath.test(name) ? `${folder} has no config.json.` : undefined);
}

/** The error for a model nobody knows, with the ones there are. */
export function modelNotFound(name: string, known: readonly string[], why?: string): PouwError {
  return new PouwError('model_not_found', `There is no model ${JSON.stringify(name)}.`, {
    class: 'not-found',
    ...(why !== undefined && { why }),
    hint: `Use ${known.length > 0 ? `one of ${known.join(', ')}, ` : ''}a folder with config.json, tokenizer.json and onnx/, or a hub id such as HuggingFaceTB/SmolLM2-135M-Instruct.`,
    param: 'model',
    details: { known },
  });
}

/** What a model is for, from its `config.json`; undefined where this adapter cannot run it. */
export function modelKind(config: Readonly<Record<string, unknown>>): 'chat' | 'embedding' | undefined {
  if (config['is_encoder_decoder'] === true) return undefined;
  const architectures = Array.isArray(config['architectures']) ? config['architectures'] : [];
  const architecture = architectures.find((name) => typeof name === 'string');
  if (architecture === undefined) return undefined;
  if (/(ForCausalLM|LMHeadModel)$/.test(architecture)) return 'chat';
  if (/(Model|ForMaskedLM)$/.test(architecture)) return 'embedding';
  return undefined;
}

/** The default folder for downloaded models: the user's cache folder as each system names it. */
export function defaultCacheDir(
  environment: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
): string {
  if (platform === 'win32')
    return join(environment['LOCALAPPDATA'] ?? join(userHome(), 'AppData', 'Local'), 'pouw', 'models');
  if (platform === 'darwin') return join(userHome(), 'Library', 'Caches', 'pouw', 'models');
  const base = environment['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') === true ? base : join(userHome(), '.cache'), 'pouw', 'models');
}
