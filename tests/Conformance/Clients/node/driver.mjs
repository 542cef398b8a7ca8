// Drives a KServe v2 server with @grpc/grpc-js and Node's http module: one JSON command a line in, one JSON answer a line out.
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Messages, stringify } from './messages.mjs';
import { send } from './rest.mjs';
import { Rpc, Running } from './rpc.mjs';

// How long the calls under way may still take after the end of the input.
const GRACE_MS = 5000;

const { values: options } = parseArgs({ options: { protos: { type: 'string', multiple: true } } });
if (options.protos === undefined) {
  console.error('usage: node driver.mjs --protos DIR [--protos DIR]');
  process.exit(64);
}

const rpc = new Rpc(new Messages(options.protos));
const runningCalls = new Map();
const operations = {
  unary: (command, running) => rpc.unary(command, running),
  raw_unary: (command, running) => rpc.rawUnary(command, running),
  stream: (command, running) => rpc.stream(command, running),
  server_stream: (command, running) => rpc.serverStream(command, running),
  load: (command, running) => rpc.load(command, running),
  http: send,
  cancel: ({ of }) => {
    runningCalls.get(of)?.cancel();
    return { cancelled: runningCalls.has(of) };
  },
  await_responses: async ({ of, count, timeout }) => {
    if (!runningCalls.has(of)) throw new Error(`call ${JSON.stringify(of)} is not running`);
    return { responses: await runningCalls.get(of).waitFor(count, timeout) };
  },
  version: () => {
    const require = createRequire(import.meta.url);
    const of = (name) => require(`${name}/package.json`).version;
    return { versions: { node: process.versions.node, 'grpc-js': of('@grpc/grpc-js'), protobufjs: of('protobufjs') } };
  },
};

// Not readline: it also ends lines at U+2028 and U+2029, which JSON strings may hold as they are.
async function* lines(input) {
  let parts = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString();
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  }
  yield Buffer.concat(parts).toString();
}

function write(answer) {
  process.stdout.write(`${stringify(answer)}\n`);
}

function parse(line) {
  try {
    const command = JSON.parse(line);
    if (typeof command === 'object' && command !== null && !Array.isArray(command)) return command;
    write({ driverError: 'not a command: a JSON object is expected' });
  } catch (failure) {
    write({ driverError: `not a command: ${failure.message}` });
  }
  return undefined;
}

async function run(command) {
  const identity = command.id === undefined ? {} : { id: command.id };
  const running = new Running();
  if (command.id !== undefined) runningCalls.set(command.id, running);
  let result;
  try {
    if (typeof command.op !== 'string' || !Object.hasOwn(operations, command.op)) throw new Error(`unknown op ${JSON.stringify(command.op)}`);
    result = await operations[command.op](command, running);
  } catch (failure) {
    result = { driverError: `${failure.name}: ${failure.message}` };
  }
  runningCalls.delete(command.id);
  write({ ...identity, ...result });
}

const commands = [];
for await (const line of lines(process.stdin)) {
  const command = line.trim() === '' ? undefined : parse(line);
  if (command !== undefined) commands.push(run(command));
}
await Promise.race([Promise.all(commands), setTimeout(GRACE_MS)]);
// Idle channels would keep the process alive.
process.exit(0);
