import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A small HTTP server over a folder, in the place of a model hub. */
export interface FolderServer {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves the files of a folder on 127.0.0.1.
 *
 * @param route the file of a request path; a number to answer with that status, `never` not to answer.
 */
export async function serveFolder(folder: string, route: (path: string) => string | number): Promise<FolderServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push(path);
    const target = route(path);
    if (target === 'never') return;
    if (typeof target === 'number') response.writeHead(target).end();
    else sendFile(response, join(folder, target), request.headers.range);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with a file, or with its first byte where a range was asked for, as the library does to learn a size. */
function sendFile(response: ServerResponse, file: string, range: string | undefined): void {
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const { size } = statSync(file);
  if (range === undefined) {
    response.writeHead(200, { 'content-length': size });
    createReadStream(file).pipe(response);
    return;
  }
  response.writeHead(206, { 'content-length': 1, 'content-range': `bytes 0-0/${size}` });
  createReadStream(file, { start: 0, end: 0 }).pipe(response);
}
