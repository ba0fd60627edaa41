import { describe, expect, it } from 'vitest';
import { chooseDevice, type Device } from './devices.ts';

const works = (): Promise<void> => Promise.resolve();
const fails = (device: Device): Promise<void> => Promise.reject(new Error(`no driver for ${device}.\nat line 3`));

describe('chooseDevice', () => {
  it('takes the cpu without asking it', async () => {
    expect(await chooseDevice('cpu', fails)).toEqual({ device: 'cpu', line: 'Inference runs on cpu, as asked.' });
  });

  it('takes a device that was asked for and works', async () => {
    expect(await chooseDevice('cuda', works)).toEqual({ device: 'cuda', line: 'Inference runs on cuda, as asked.' });
  });

  it('refuses a device that was asked for and does not work, saying why and what to do', async () => {
    const refused = chooseDevice('cuda', fails);
    await expect(refused).rejects.toMatchObject({
      code: 'device_unavailable',
      why: 'no driver for cuda',
      param: 'device',
    });
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('--device auto') as string });
  });

  it('takes the best device that works by itself', async () => {
    const chosen = await chooseDevice('auto', works, 'darwin', 'arm64');
    expect(chosen).toEqual({
      device: 'webgpu',
      line: 'Inference runs on webgpu: it works here; for a small model --device cpu can be faster.',
    });
  });

  it('falls back to the cpu and says what did not work', async () => {
    const chosen = await chooseDevice('auto', fails, 'win32', 'x64');
    expect(chosen.device).toBe('cpu');
    expect(chosen.line).toBe('Inference runs on cpu: webgpu does not work (no driver for webgpu).');
  });

  it('leaves out of a driver’s report what only its authors understand', async () => {
    const report = '/src/webgpu/context.cc:136 void init(int) status == 0 was false. No adapter was found.';
    const chosen = await chooseDevice('auto', () => Promise.reject(new Error(report)), 'darwin', 'arm64');
    expect(chosen.line).toBe('Inference runs on cpu: webgpu does not work (No adapter was found).');
  });
});
