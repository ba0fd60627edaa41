import { type Hex, keccakWords, sha256 } from './hash.ts';
import type { Address } from './ids.ts';
import { limits } from './limits.ts';
import { merkleRoot, recordLeaf } from './merkle.ts';
import { type ResultContent, resultRoot } from './precommit.ts';

/** The steps of a round, as its precommits and seeds name them. */
export const roundSteps = { topic: 0, questions: 1, answers: 2 } as const;

/** What a creator asks its model for a topic with. */
export const topicPrompt = 'Tell me a story.';

/**
 * The questions of a round: what some words of its topic mean, which ones the round's id decides. They follow from the
 * topic alone, so that whoever judges the round can tell whether the preparer made them as it should.
 */
export function questionsOf(topic: string, task: Hex): string[] {
  const words = new Set(topic.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
  const rank = (word: string): string => sha256(`${task}:${word}`);
  const chosen = [...words].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, limits.roundQuestionsMax);
  // A topic without a word of some length is asked about as it is.
  if (chosen.length === 0) return [`What does this mean? ${topic}`];
  return chosen.map((word) => `What does ${word} mean?`);
}

/** The seed that a creator's topic is sampled with: it follows from the round, so that nobody picks the best of many. */
export function topicSeed(task: Hex, miner: Address): Hex {
  return keccakWords([task, roundSteps.topic, miner]);
}

/** The Merkle root over the results of all questions. Pairs of a tree are sorted, so each leaf says which question it is of. */
export function answersRoot(answers: readonly ResultContent[]): Hex {
  return merkleRoot(answers.map((answer, place) => recordLeaf('answer', place, resultRoot(answer))));
}

/**
 * The salt of a node's precommit in a round: a hash of a signature that its key always makes alike. Whoever lacks the key
 * cannot guess it, and nothing has to be remembered until the reveal.
 */
export function roundSalt(signer: { sign(text: string): string }, task: Hex): Hex {
  return `0x${sha256(signer.sign(`pouw idle round salt:${task}`))}`;
}
