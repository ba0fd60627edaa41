/** Whether text is an http(s) address. */
export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The endpoints in a setting, which has commas between them. An empty setting is one that is no address. */
export function rpcUrls(setting: string): readonly string[] {
  return setting.split(',').map((url) => url.trim());
}
