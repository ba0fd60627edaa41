import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { present } from '../../core/assert.ts';
import { EmbeddingJob } from './embedding-job.ts';
import { Engine, probeDevice } from './engine.ts';
import { Generation } from './generation.ts';
import {
  type CallMessage,
  type FromWorker,
  type LoadedModel,
  type ToWorker,
  toWireError,
  type WorkerStart,
} from './messages.ts';
import { PassGate } from './pass-gate.ts';
import { RoundRobin } from './round-robin.ts';

/** The smallest model of the project: what a device must be able to run. */
const probeFolder = fileURLToPath(new URL('../../../models/pebble-mini', import.meta.url));

/**
 * The thread's side of the pool: takes calls, answers each with items and one end or error. The engine
 * blocks the thread during a forward pass; messages are read between two of them.
 */
class WorkerServer {
  readonly #port: MessagePort;
  readonly #engine: Engine;
  readonly #gate: PassGate;
  readonly #jobs: RoundRobin;
  readonly #cancels = new Map<number, () => void>();

  constructor(port: MessagePort, settings: WorkerStart) {
    this.#port = port;
    this.#engine = new Engine(settings);
    this.#gate = new PassGate(settings.gate);
    this.#jobs = new RoundRobin(this.#gate);
  }

  /** Takes calls until the pool closes the thread. */
  listen(): void {
    this.#port.on('message', (message: ToWorker) => void this.#receive(message));
  }

  async #receive(message: ToWorker): Promise<void> {
    if (message.type === 'cancel') {
      this.#cancels.get(message.call)?.();
    } else if (message.type === 'close') {
      await this.#jobs.stop();
      await this.#engine.close();
      this.#port.close();
    } else {
      await this.#perform(message).catch((error: unknown) => this.#fail(message.call, error));
    }
  }

  async #perform(message: CallMessage): Promise<void> {
    const { call } = message;
    switch (message.name) {
      case 'probe':
        await this.#gate.through(() => probeDevice(message.input.device, probeFolder));
        return this.#end(call, null);
      case 'load':
        return this.#end(call, await this.#gate.through(() => this.#load(call, message.input)));
      case 'count':
        return this.#end(call, this.#engine.chatModel(message.input.model).promptIds(message.input.prompt).length);
      case 'decode': {
        const model = this.#engine.embeddingModel(message.input.model);
        return this.#end(
          call,
          message.input.lists.map((ids) => model.decode(ids)),
        );
      }
      case 'generate':
        return this.#generate(call, message.input);
      case 'embed':
        return this.#embed(call, message.input);
    }
  }

  #load(call: number, input: Extract<CallMessage, { name: 'load' }>['input']): Promise<LoadedModel> {
    return this.#engine.load(input, (item) => this.#send({ type: 'item', call, item }));
  }

  #generate(call: number, input: Extract<CallMessage, { name: 'generate' }>['input']): void {
    const job = new Generation(this.#engine.chatModel(input.model), input, {
      event: (item) => this.#send({ type: 'item', call, item }),
      end: () => this.#end(call, null),
      fail: (error) => this.#fail(call, error),
    });
    this.#cancels.set(call, () => job.cancel());
    this.#jobs.add(job);
  }

  #embed(call: number, input: Extract<CallMessage, { name: 'embed' }>['input']): void {
    const job = new EmbeddingJob(this.#engine.embeddingModel(input.model), input.texts, {
      end: (embeddings) => this.#end(call, embeddings),
      fail: (error) => this.#fail(call, error),
    });
    this.#cancels.set(call, () => job.cancel());
    this.#jobs.add(job);
  }

  #end(call: number, result: unknown): void {
    this.#cancels.delete(call);
    this.#send({ type: 'end', call, result });
  }

  #fail(call: number, error: unknown): void {
    this.#cancels.delete(call);
    this.#send({ type: 'error', call, error: toWireError(error) });
  }

  #send(message: FromWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    this.#port.postMessage(message);
  }
}

new WorkerServer(present(parentPort, 'the thread’s port'), workerData as WorkerStart).listen();
