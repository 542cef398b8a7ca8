// gRPC calls through @grpc/grpc-js: one result object per call, for every outcome.
import { performance } from 'node:perf_hooks';
import grpc from '@grpc/grpc-js';
import { decode, encode } from './messages.mjs';

const CHANNEL_OPTIONS = {
  'grpc.max_send_message_length': -1,
  'grpc.max_receive_message_length': -1,
  'grpc.enable_http_proxy': 0,
  // A server that was restarted is found again at once, not after the usual back-off of up to two minutes.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
};
const COMPRESSIONS = {
  none: grpc.compressionAlgorithms.identity,
  deflate: grpc.compressionAlgorithms.deflate,
  gzip: grpc.compressionAlgorithms.gzip,
};
// What belongs to the transport. Other clients hide part of it; no driver reports it.
const HIDDEN_METADATA = new Set(['content-type', 'grpc-encoding', 'grpc-accept-encoding', 'grpc-status', 'grpc-message', 'te']);

// A call under way that other commands may cancel or, if it streams, watch.
export class Running {
  responses = [];
  cancelled = false;
  #ended = false;
  #call;
  #waiters = new Set();

  attach(call) {
    this.#call = call;
    if (this.cancelled) call.cancel();
  }

  cancel() {
    this.cancelled = true;
    this.#call?.cancel();
  }

  add(response) {
    this.responses.push(response);
    this.#wake();
    return this.responses.length;
  }

  end() {
    this.#ended = true;
    this.#wake();
  }

  async waitFor(count, timeoutSeconds) {
    let expired = false;
    let wake;
    const timer = timeoutSeconds === undefined ? undefined : setTimeout(() => ((expired = true), wake?.()), timeoutSeconds * 1000);
    while (!this.#ended && !expired && this.responses.length < count) {
      await new Promise((resolve) => this.#waiters.add((wake = resolve)));
    }
    clearTimeout(timer);
    return [...this.responses];
  }

  #wake() {
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }
}

export class Rpc {
  #messages;
  #clients = new Map();

  constructor(messages) {
    this.#messages = messages;
  }

  unary(command, running) {
    const { request, response } = this.#messages.method(command.method);
    const bytes = encode(request, command.request ?? {});
    return this.#unary(command, running, bytes, (answer) => ({ response: decode(response, answer) }));
  }

  rawUnary(command, running) {
    const bytes = Buffer.from(command.request_base64, 'base64');
    return this.#unary(command, running, bytes, (answer) => ({ response_base64: answer.toString('base64') }));
  }

  async stream(command, running) {
    const { request, response } = this.#messages.method(command.method);
    const requests = command.requests.map((item) => encode(request, item));
    const call = this.#client(command).makeBidiStreamRequest(
      path(command), same, (bytes) => decode(response, bytes), sent(command), callOptions(command));
    const result = this.#read(command, running, call);
    await feed(command, running, call, requests);
    return result;
  }

  serverStream(command, running) {
    const { request, response } = this.#messages.method(command.method);
    const call = this.#client(command).makeServerStreamRequest(
      path(command), same, (bytes) => decode(response, bytes), encode(request, command.request ?? {}), sent(command), callOptions(command));
    return this.#read(command, running, call);
  }

  // A closed loop: each worker sends its next call when the last one is answered.
  async load(command, running) {
    const { request } = this.#messages.method(command.method);
    const bytes = encode(request, command.request ?? {});
    const started = performance.now();
    const counts = {};
    const details = {};
    const work = async () => {
      while (performance.now() - started < command.seconds * 1000 && !running.cancelled) {
        const outcome = await this.#unary(command, new Running(), bytes, () => ({}));
        counts[outcome.code] = (counts[outcome.code] ?? 0) + 1;
        details[outcome.code] ??= outcome.details;
      }
    };
    await Promise.all(Array.from({ length: command.concurrency }, work));
    return { counts, details, elapsedMs: millisecondsSince(started) };
  }

  #unary(command, running, bytes, show) {
    let failure;
    let received = {};
    const call = this.#client(command).makeUnaryRequest(
      path(command), same, show, bytes, sent(command), callOptions(command), (error, value) => {
        failure = error;
        received = value ?? {};
      });
    // An OK without a message is a failure that only the callback is told of.
    return finish(command, running, call, () => received, (status) => failure ?? status);
  }

  #read(command, running, call) {
    call.on('data', (response) => {
      if (running.add(response) === command.maxResponses) call.cancel();
    });
    // The outcome is read from the status; without a listener an error would end the process.
    call.on('error', () => {});
    call.on('status', () => running.end());
    return finish(command, running, call, () => ({ responses: running.responses }));
  }

  #client({ target, compression = 'none' }) {
    // grpc-js compresses by channel, not by call.
    const key = `${compression} ${target}`;
    if (!this.#clients.has(key)) {
      const options = { ...CHANNEL_OPTIONS, 'grpc.default_compression_algorithm': algorithm(compression) };
      this.#clients.set(key, new grpc.Client(target, grpc.credentials.createInsecure(), options));
    }
    return this.#clients.get(key);
  }
}

async function finish(command, running, call, received, outcome = (status) => status) {
  const started = performance.now();
  let initial;
  call.on('metadata', (metadata) => { initial = metadata; });
  running.attach(call);
  const timer = command.cancelAfterMs === undefined ? undefined : setTimeout(() => running.cancel(), command.cancelAfterMs);
  const status = outcome(await new Promise((resolve) => call.on('status', resolve)));
  clearTimeout(timer);
  return {
    code: grpc.status[status.code],
    details: status.details ?? '',
    ...received(),
    initialMetadata: shown(initial),
    trailers: shown(status.metadata),
    elapsedMs: millisecondsSince(started),
  };
}

async function feed(command, running, call, requests) {
  for (const [index, request] of requests.entries()) {
    if (command.lockstep && (await running.waitFor(index)).length < index) return;
    call.write(request);
  }
  if (command.halfClose ?? true) call.end();
}

function same(bytes) {
  return bytes;
}

function path({ method }) {
  return `/${method.replace(/^\//, '')}`;
}

function algorithm(compression) {
  if (!Object.hasOwn(COMPRESSIONS, compression)) throw new Error(`unknown compression ${compression}`);
  return COMPRESSIONS[compression];
}

function callOptions({ timeout }) {
  return timeout === undefined ? {} : { deadline: Date.now() + timeout * 1000 };
}

function sent({ metadata = {} }) {
  const sending = new grpc.Metadata();
  for (const [key, values] of Object.entries(metadata)) {
    for (const value of [values].flat()) sending.add(key, key.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
  return sending;
}

function shown(metadata) {
  const merged = {};
  for (const key of Object.keys(metadata?.getMap() ?? {})) {
    if (HIDDEN_METADATA.has(key)) continue;
    merged[key] = metadata.get(key).map((value) => (Buffer.isBuffer(value) ? value.toString('base64') : value)).join(', ');
  }
  return merged;
}

function millisecondsSince(started) {
  return Math.round((performance.now() - started) * 1000) / 1000;
}
