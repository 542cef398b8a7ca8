// Asks over gRPC which digit a picture shows.
// Usage: npm ci && node infer.mjs [tensor.fp32 [host:port]]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [file = here('../seven.fp32'), address = '127.0.0.1:8001'] = process.argv.slice(2);

const definition = protoLoader.loadSync('inference.proto', {
  includeDirs: [here('../../contracts/Protos')],
  keepCase: true,
});
const { GRPCInferenceService } = grpc.loadPackageDefinition(definition).inference;
const client = new GRPCInferenceService(address, grpc.credentials.createInsecure());

const request = {
  model_name: 'digits',
  inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28] }],
  raw_input_contents: [readFileSync(file)],
};

client.ModelInfer(request, { deadline: Date.now() + 10_000 }, (error, response) => {
  if (error) {
    console.error(`${grpc.status[error.code]}: ${error.details}`);
    process.exitCode = 1;
  } else {
    const raw = response.raw_output_contents[0];
    const probabilities = Array.from({ length: raw.length / 4 }, (_, i) => raw.readFloatLE(4 * i));
    const best = Math.max(...probabilities);
    const digit = probabilities.indexOf(best);
    console.log(`${response.model_name} version ${response.model_version}: ${digit} (${(100 * best).toFixed(1)}%)`);
  }
  client.close();
});
