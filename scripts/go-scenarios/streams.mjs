// Reading and writing streams, and closing them.

import { bad, done, END, fail, failedReadForm, failedWriteForm, READ, readForm, unsupported } from './results.mjs';

async function read(_world, { max = 0, show }, conn) {
  const p = Buffer.alloc(max);
  try {
    const n = await conn.read(p);
    return readForm(p.subarray(0, n ?? 0), show, n === null ? END : READ);
  } catch (error) {
    return failedReadForm(Buffer.alloc(0), show, error);
  }
}

/** Go's io.ReadFull, to which an early end is none of its errors. */
async function readFull(_world, { n: wanted = 0, show }, conn) {
  const p = Buffer.alloc(wanted);
  let n = 0;
  try {
    while (n < wanted) {
      const count = await conn.read(p.subarray(n));
      if (count === null) return readForm(p.subarray(0, n), show, END);
      n += count;
    }
    return readForm(p, show, READ);
  } catch (error) {
    return failedReadForm(p.subarray(0, n), show, error);
  }
}

// Go's io.ReadAll: what its buffers have room for decides how much of a message is read.
const FIRST_ROOM = 512;
const NEXT_ROOM = 256;

/** Reads to the end; with the error, where it came to none. */
async function drain(conn) {
  const chunks = [];
  let error = null;
  let room = Buffer.alloc(FIRST_ROOM);
  let next = NEXT_ROOM;
  let used = 0;
  for (;;) {
    try {
      const n = await conn.read(room.subarray(used));
      if (n === null) break;
      used += n;
    } catch (thrown) {
      error = thrown;
      break;
    }
    if (room.length - used < Math.floor(room.length / 16)) {
      chunks.push(room.subarray(0, used));
      room = Buffer.alloc(next);
      next += Math.floor(next / 2);
      used = 0;
    }
  }
  return { bytes: Buffer.concat([...chunks, room.subarray(0, used)]), error };
}

async function readAll(_world, { show }, conn) {
  const { bytes, error } = await drain(conn);
  return error === null ? readForm(bytes, show, END) : failedReadForm(bytes, show, error);
}

/** A write whose error tells how much was written. */
async function counted(promise) {
  try {
    return { n: await promise, error: null };
  } catch (error) {
    return { n: error.bytesWritten ?? 0, error };
  }
}

export function writeForm({ n, error }, total) {
  return error === null ? { ok: true, n } : failedWriteForm(n, total, error);
}

async function write(world, step, conn, task) {
  const bytes = world.payloads.of(step);
  const outcome = await counted(conn.write(bytes));
  if (task !== null) task.sent = bytes.subarray(0, outcome.n);
  return writeForm(outcome, bytes.length);
}

const ENDLESS = 256 * 2 ** 20;

async function writeUntil(world, step, conn) {
  const bytes = world.payloads.of(step);
  for (let total = 0; total <= ENDLESS; ) {
    const { n, error } = await counted(conn.write(bytes));
    total += n;
    if (error !== null) return { ...fail(error), some: total > 0 };
  }
  return { ok: true, endless: true };
}

const lengthOf = (list) => list.reduce((sum, { length }) => sum + length, 0);

async function writev(world, step, conn, { limited }) {
  const list = world.payloads.listOf(step);
  const total = lengthOf(list);
  const outcome = await counted(limited ? oneByOne(conn, list) : conn.writev(list));
  // Go takes what it has sent off the list, and does not look at a list without a byte.
  const left = total - outcome.n;
  const empty = list.length === 0 || (left === 0 && (total > 0 || limited || isPipe(conn)));
  return { ...writeForm(outcome, total), balanced: left >= 0, empty };
}

const isPipe = ({ localAddr }) => localAddr.network === 'pipe';

// What wraps a connection of Go's has no batch write of its own.
async function oneByOne(conn, list) {
  let total = 0;
  for (const bytes of list) {
    const { n, error } = await counted(conn.write(bytes));
    total += n;
    if (error !== null) throw Object.assign(error, { bytesWritten: total });
  }
  return total;
}

async function checkSent(world, step, endpoint) {
  const task = world.tasks.get(step.of);
  if (task === undefined) return bad(step);
  await task.done;
  const { bytes, error } = await drain(endpoint.object);
  const form = { ok: true, exact: bytes.equals(task.sent) };
  return error === null ? form : { ...form, ...fail(error) };
}

function halfClose(method) {
  return (_world, _step, { inner }) =>
    typeof inner[method] === 'function' ? done(() => inner[method]()) : unsupported();
}

function close(world, step, endpoint) {
  const file = world.files.get(step.on);
  if (endpoint === undefined) return file === undefined ? bad(step) : file.close().then(() => ({ ok: true }));
  return endpoint.object.close === undefined ? bad(step) : done(() => endpoint.close());
}

/** Verbs that need a connection. */
const onConn = (verb) => (world, step, endpoint, task) =>
  endpoint?.isConn ? verb(world, step, endpoint.object, task ?? null, endpoint) : bad(step);

export const verbs = {
  read: onConn(read),
  readFull: onConn(readFull),
  readAll: onConn(readAll),
  write: onConn(write),
  writeUntil: onConn(writeUntil),
  writev: onConn((world, step, conn, _task, endpoint) => writev(world, step, conn, endpoint)),
  checkSent,
  close,
  closeRead: halfClose('closeRead'),
  closeWrite: halfClose('closeWrite'),
};
