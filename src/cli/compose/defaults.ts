/** The model a local network serves unless `--model` says otherwise. */
export const defaultModel = 'pebble-chat';
/** The model it compares answers with, and serves for embeddings. */
export const defaultEmbedder = 'pebble-embed';
