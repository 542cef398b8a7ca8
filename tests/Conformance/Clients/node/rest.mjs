// HTTP requests whose headers and bytes are exactly those of the command, one connection each.
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import zlib from 'node:zlib';

const COMPRESS = { gzip: zlib.gzipSync, deflate: zlib.deflateSync };
const DECOMPRESS = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync };
const KINDS = { ETIMEDOUT: 'timeout', ECONNREFUSED: 'refused', ECONNRESET: 'closed', EPIPE: 'closed' };

export async function send(command) {
  const started = performance.now();
  const elapsed = () => ({ elapsedMs: Math.round((performance.now() - started) * 1000) / 1000 });
  const { options, body } = prepare(command);
  try {
    return { ...(await exchange(options, body, command.timeout)), ...elapsed() };
  } catch (failure) {
    return { status: 0, error: KINDS[failure.code] ?? 'other', details: `${failure.code}: ${failure.message}`, ...elapsed() };
  }
}

function prepare(command) {
  // Not put together from a parsed URL: dots, escapes and empty segments must arrive as they were written.
  const url = /^http:\/\/([^/:]+|\[[^\]]+\])(?::(\d+))?(\/.*)?$/.exec(command.url);
  if (!url) throw new Error(`not an http:// URL: ${command.url}`);
  const method = command.method ?? 'GET';
  const headers = { ...command.headers };
  let body = command.body_base64 === undefined ? undefined : Buffer.from(command.body_base64, 'base64');
  if (command.compress !== undefined) {
    body = COMPRESS[command.compress](body ?? '');
    headers['Content-Encoding'] = command.compress;
  }
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (!names.has('connection')) headers.Connection = 'close';
  const sized = names.has('transfer-encoding') || names.has('content-length');
  if (!sized && (body || ['POST', 'PUT', 'PATCH'].includes(method))) headers['Content-Length'] = String(body?.length ?? 0);
  const options = { agent: false, host: url[1].replace(/[[\]]/g, ''), port: url[2] ?? 80, path: url[3] ?? '/', method, headers };
  return { options, body };
}

function exchange(options, body, timeoutSeconds) {
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        try {
          resolve(result(response, Buffer.concat(chunks)));
        } catch (failure) {
          reject(failure);
        }
      });
    });
    const expire = () => request.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    const timer = timeoutSeconds === undefined ? undefined : setTimeout(expire, timeoutSeconds * 1000);
    request.on('error', (failure) => {
      clearTimeout(timer);
      reject(failure);
    });
    request.end(body);
  });
}

function result(response, received) {
  const headers = {};
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    const name = response.rawHeaders[i].toLowerCase();
    const value = response.rawHeaders[i + 1];
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  const encoding = headers['content-encoding'] ?? '';
  const body = Object.hasOwn(DECOMPRESS, encoding) && received.length > 0 ? DECOMPRESS[encoding](received) : received;
  return { status: response.statusCode, headers, content_encoding: encoding, body_base64: body.toString('base64') };
}
