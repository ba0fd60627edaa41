import { afterEach, expect, test, vi } from 'vitest';
import { runDeploy } from './deploy-run.ts';

afterEach(() => void vi.unstubAllEnvs());

test('nothing is deployed without the key that pays for it', async () => {
  vi.stubEnv('POUW_DEPLOYER_KEY', undefined);
  const refused = runDeploy({ rpc: 'http://127.0.0.1:9', data: 'nowhere' });
  await expect(refused).rejects.toMatchObject({ code: 'deployer_key_missing', class: 'invalid' });
});
