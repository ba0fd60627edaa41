import type { Role } from '../core/ids.ts';
import type { Member } from './compose/members.ts';

/** What a started network tells a person. */
export interface BannerFacts {
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
  readonly embedder: string;
  readonly rpcUrl: string;
  readonly data: string;
  /** Of the operations server, where there is one. */
  readonly opsUrl?: string;
  readonly session: string;
  readonly deviceLine: string;
  readonly members: readonly Member[];
}

/** The endpoint, the key, and two snippets that work when pasted. */
export function startBanner(facts: BannerFacts): string {
  const { url, apiKey, model, embedder, rpcUrl, data, session, deviceLine, opsUrl } = facts;
  const count = (role: Role): number => facts.members.filter((member) => member.role === role).length;
  return `
The network is up: ${count('router')} routers, ${count('miner')} miners, ${count('validator')} validators, ${count('oracle')} oracles.

  endpoint  ${url}/v1
  API key   ${apiKey}
  models    ${model} (chat), ${embedder} (embeddings)
  session   ${session}
  chain     ${rpcUrl}
  data      ${data}
  device    ${deviceLine}${opsUrl === undefined ? '' : `\n  metrics   ${opsUrl}/metrics`}

Ask it something:

curl -s ${url}/v1/chat/completions \\
  -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "What is a dog?"}]}'

Or from JavaScript, with the openai package:

import OpenAI from 'openai';
const client = new OpenAI({ baseURL: '${url}/v1', apiKey: '${apiKey}' });
const stream = await client.chat.completions.create({
  model: '${model}', stream: true, messages: [{ role: 'user', content: 'Define water.' }],
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');

Ctrl-C stops it; the next start on the same data directory goes on where it was.
`;
}
