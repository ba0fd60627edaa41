import { limits } from './limits.ts';

/** The words of a prompt, messages or a text. */
export type TemplateWords =
  | { readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[] }
  | { readonly text: string };

/** What a step may be called: what stands between the braces of a placeholder. */
export const stepNamePattern = new RegExp(`^[A-Za-z][A-Za-z0-9_-]{0,${limits.stepNameCharsMax - 1}}$`);

const placeholder = /\{\{([A-Za-z][A-Za-z0-9_-]*)\}\}/g;

/** The names in a template's placeholders, each as often as it stands there, in order. */
export function placeholdersIn(words: TemplateWords): string[] {
  return textsOf(words).flatMap((text) => [...text.matchAll(placeholder)].map(([, name = '']) => name));
}

/**
 * Puts texts in the place of `{{name}}`, in one pass: what a text itself says in braces stays as it is, so that nobody who
 * writes one can have another put in. A name without a text stays as it is too.
 */
export function fillTemplate(words: TemplateWords, texts: ReadonlyMap<string, string>): TemplateWords {
  const fill = (text: string): string => text.replace(placeholder, (whole, name: string) => texts.get(name) ?? whole);
  if ('text' in words) return { text: fill(words.text) };
  return { messages: words.messages.map(({ role, content }) => ({ role, content: fill(content) })) };
}

/** Characters of all the words together. */
export function templateChars(words: TemplateWords): number {
  return textsOf(words).reduce((sum, text) => sum + text.length, 0);
}

function textsOf(words: TemplateWords): string[] {
  return 'text' in words ? [words.text] : words.messages.map(({ content }) => content);
}
