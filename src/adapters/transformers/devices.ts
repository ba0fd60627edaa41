import { existsSync, readdirSync } from 'node:fs';
import { PouwError, errorMessage } from '../../core/errors.ts';

/** Where a model can run. */
export const devices = ['cpu', 'cuda', 'webgpu'] as const;
/** One of {@link devices}, as the library names it. */
export type Device = (typeof devices)[number];

/** What a user can ask for; `auto` takes the first device that works. */
export type DeviceChoice = Device | 'auto';

/** The device that was chosen and one line for a person saying which and why. */
export interface ChosenDevice {
  readonly device: Device;
  readonly line: string;
}

/** Devices worth trying on a platform, best first; the processor is always there. */
function candidates(platform: string, architecture: string): readonly Device[] {
  if (platform === 'linux' && architecture === 'x64') return ['cuda', 'webgpu'];
  return platform === 'linux' ? [] : ['webgpu'];
}

/** Whether a Linux machine shows any graphics device: without one, probing can only fail, slowly and with noise from drivers. */
function hasGraphicsDevice(): boolean {
  if (existsSync('/dev/nvidiactl') || existsSync('/dev/dxg')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
}

/**
 * Decides where models run. `probe` really runs a small model there and rejects with the reason where it
 * cannot; a device that merely looks present is not believed.
 *
 * @throws PouwError `device_unavailable` where a device was asked for by name and does not work.
 */
export async function chooseDevice(
  choice: DeviceChoice,
  probe: (device: Device) => Promise<void>,
  platform: string = process.platform,
  architecture: string = process.arch,
): Promise<ChosenDevice> {
  if (choice === 'cpu') return { device: 'cpu', line: 'Inference runs on cpu, as asked.' };
  if (choice !== 'auto') {
    const reason = await failure(choice, probe);
    if (reason === undefined) return { device: choice, line: `Inference runs on ${choice}, as asked.` };
    throw deviceUnavailable(choice, reason);
  }
  if (platform === 'linux' && !hasGraphicsDevice()) {
    return { device: 'cpu', line: 'Inference runs on cpu: this machine shows no graphics device.' };
  }
  const reasons: string[] = [];
  for (const device of candidates(platform, architecture)) {
    const reason = await failure(device, probe);
    if (reason === undefined)
      return {
        device,
        line: `Inference runs on ${device}: it works here; for a small model --device cpu can be faster.`,
      };
    reasons.push(`${device} does not work (${reason})`);
  }
  const why = reasons.length > 0 ? reasons.join('; ') : `nothing else is supported on ${platform} ${architecture}`;
  return { device: 'cpu', line: `Inference runs on cpu: ${why}.` };
}

async function failure(device: Device, probe: (device: Device) => Promise<void>): Promise<string | undefined> {
  try {
    await probe(device);
    return undefined;
  } catch (error) {
    return firstLine(error instanceof PouwError ? (error.why ?? error.message) : errorMessage(error));
  }
}

/** The first line of a driver's report without the failed condition and its source file, which tell a user nothing. */
function firstLine(text: string): string {
  const line = (text.split('\n')[0] ?? text)
    .replace(/^.* was false\. /, '')
    .trim()
    .replace(/\.$/, '');
  return line.length > 160 ? `…${line.slice(-160)}` : line;
}

const remedy: Readonly<Record<Device, string>> = {
  cpu: 'Reinstall the dependencies: the cpu always works with a complete installation.',
  cuda: 'CUDA needs Linux on x64, an NVIDIA driver, CUDA with cuDNN 9, and the CUDA provider of the ONNX runtime; the README says how to get it. Or use --device auto or cpu.',
  webgpu:
    'WebGPU needs a graphics card with a Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows) driver. Or use --device auto or cpu.',
};

function deviceUnavailable(device: Device, reason: string): PouwError {
  return new PouwError('device_unavailable', `The device ${device} does not work on this machine.`, {
    class: 'unavailable',
    why: reason,
    hint: remedy[device],
    param: 'device',
  });
}
