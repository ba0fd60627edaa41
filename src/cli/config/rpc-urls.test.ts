import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { nodeCommand } from '../node-command.ts';
import { rpcUrlsOption } from '../parse-options.ts';
import { readConfig } from './read-config.ts';
import { rpcUrls } from './rpc-urls.ts';

const [a, b, c] = ['http://127.0.0.1:1', 'https://chain.example/key', 'http://127.0.0.1:3'] as const;

describe('the endpoints of a chain', () => {
  test('are a list with commas, or an option that is given again, in this order', () => {
    expect(rpcUrls(`${a}, ${b}`)).toEqual([a, b]);
    expect(rpcUrlsOption(c, rpcUrlsOption(`${a},${b}`, undefined))).toEqual([a, b, c]);
  });

  test.each(['', `${a},`, `${a},ftp://host`, 'localhost:8545'])('are refused where one is no address: %s', (text) => {
    expect(() => rpcUrlsOption(text, undefined)).toThrow(InvalidArgumentError);
    expect(() => readConfig({ flags: { rpc: text }, environment: {} })).toThrow('--rpc');
  });

  test('of a node come from its command line, given once or again', async () => {
    let rpc: unknown;
    const miner = nodeCommand('miner').action((options: { readonly rpc?: string }) => {
      rpc = options.rpc;
    });
    await new Command().addCommand(miner).parseAsync(['miner', '--rpc', a, '--rpc', `${b},${c}`], { from: 'user' });
    expect(readConfig({ flags: { rpc: String(rpc) }, environment: {} }).rpc).toBe(`${a},${b},${c}`);
    expect(readConfig({ flags: {}, environment: { POUW_RPC: `${a},${b}` } }).rpc).toBe(`${a},${b}`);
  });
});
