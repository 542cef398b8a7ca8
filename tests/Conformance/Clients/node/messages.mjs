// Message types read from the protos by protobufjs, and their protobuf JSON.
// protobufjs' own JSON differs from the mapping (floats show the digits of a double, defaults on the wire are kept).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

// JSON.stringify writes -0 as 0; this text stands for it until stringify() below replaces it.
const NEGATIVE_ZERO = '\u0000-0';
const FLOAT_DIGITS = [6, 7, 8, 9];

export class Messages {
  #root = new protobuf.Root();

  constructor(protos) {
    const folders = new Map(protos.flatMap((folder) =>
      readdirSync(folder).filter((name) => name.endsWith('.proto')).map((name) => [name, folder])));
    if (folders.size === 0) throw new Error(`no .proto file in ${protos.join(', ')}`);
    const files = [...folders.keys()];
    this.#root.resolvePath = (_, target) => (folders.has(target) ? join(folders.get(target), target) : target);
    this.#root.loadSync(files, { keepCase: true }).resolveAll();
  }

  // "package.Service/Method" to the types of its request and response.
  method(name) {
    const [service, method] = name.replace(/^\//, '').split('/');
    const found = this.#root.lookupService(service).methods[method];
    if (!found) throw new Error(`no method ${name} in the protos`);
    return { request: found.resolvedRequestType, response: found.resolvedResponseType };
  }
}

export function encode(type, json) {
  return Buffer.from(type.encode(type.fromObject(known(type, json))).finish());
}

export function decode(type, bytes) {
  return toJson(type, type.decode(bytes));
}

export function stringify(value) {
  return JSON.stringify(value).replaceAll(JSON.stringify(NEGATIVE_ZERO), '-0.0');
}

// fromObject drops names it does not know; a command must not lose a field to a typing error.
function known(type, json) {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error(`${type.fullName} must be an object`);
  const message = {};
  for (const [name, value] of Object.entries(json)) {
    const field = type.fields[name];
    if (!field) throw new Error(`${type.fullName} has no field ${name}`);
    if (value !== null) message[name] = each(field, value, (item) => (isMessage(field) ? known(field.resolvedType, item) : item));
  }
  return message;
}

function toJson(type, message) {
  const json = {};
  for (const field of type.fieldsArray) {
    if (Object.hasOwn(message, field.name) && isPresent(field, message[field.name])) {
      json[field.name] = each(field, message[field.name], (item) => valueToJson(field, item));
    }
  }
  return json;
}

function each(field, value, convert) {
  if (field.map) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item)]));
  return field.repeated ? value.map(convert) : convert(value);
}

function isMessage(field) {
  return field.resolvedType instanceof protobuf.Type;
}

function isPresent(field, value) {
  if (field.map) return Object.keys(value).length > 0;
  if (field.repeated) return value.length > 0;
  if (isMessage(field) || field.partOf) return value !== null;
  if (field.type === 'bytes') return value.length > 0;
  // Long has no value equality; -0 is not the default.
  return field.long ? !value.isZero() : !Object.is(value, field.typeDefault);
}

function valueToJson(field, value) {
  if (isMessage(field)) return toJson(field.resolvedType, value);
  if (field.resolvedType) return field.resolvedType.valuesById[value] ?? value;
  switch (field.type) {
    case 'bytes':
      return Buffer.from(value).toString('base64');
    case 'float':
      return number(shortestFloat(value));
    case 'double':
      return number(value);
    default:
      return field.long ? value.toString() : value;
  }
}

function number(value) {
  if (Object.is(value, -0)) return NEGATIVE_ZERO;
  return Number.isFinite(value) ? value : String(value);
}

// The fewest digits from which the same 32-bit float is read.
function shortestFloat(value) {
  // toPrecision drops the sign of zero.
  if (!Number.isFinite(value) || value === 0) return value;
  return FLOAT_DIGITS.map((digits) => Number(value.toPrecision(digits))).find((short) => Math.fround(short) === value);
}
