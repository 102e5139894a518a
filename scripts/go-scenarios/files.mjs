// Files: descriptors of sockets, files that are sent, and the paths of Unix sockets. And copying.

import {
  closeSync,
  fstatSync,
  lstatSync,
  readFileSync,
  readSync,
  rmdirSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Endpoint } from './endpoints.mjs';
import { FileClosed, PathError, pathError, syscallError } from './errors.mjs';
import { spliceway } from './library.mjs';
import { addrForm, connForm, fail, failedWriteForm } from './results.mjs';

/** Go's os.File on a descriptor. */
class DescriptorFile {
  /** @param name what Go calls it */
  constructor(fd, name) {
    this.fd = fd;
    this.name = name;
  }

  async close() {
    if (this.fd < 0) throw new PathError('close', this.name, new FileClosed());
    closeSync(this.fd);
    this.fd = -1;
  }

  async discard() {
    if (this.fd >= 0) await this.close();
  }
}

/** An open file of the scenario's folder. */
class RegularFile {
  constructor(handle, name) {
    this.handle = handle;
    this.name = name;
  }

  get fd() {
    return this.handle.fd;
  }

  get size() {
    return fstatSync(this.fd).size;
  }

  /** Where the next byte is read from. */
  get position() {
    return Number(/^pos:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${this.fd}`, 'utf8'))[1]);
  }

  /** Node has no seek: what lies before is read. */
  async seek(offset) {
    await this.handle.close();
    this.handle = await open(this.name);
    const { size } = this;
    if (offset > size) truncateSync(this.name, offset);
    const skipped = Buffer.alloc(offset);
    for (let n = 0; n < offset; ) n += readSync(this.fd, skipped, 0, offset - n, null);
    if (offset > size) truncateSync(this.name, size);
  }

  async close() {
    if (this.fd < 0) throw new PathError('close', this.name, new FileClosed());
    await this.handle.close();
  }

  async discard() {
    if (this.fd >= 0) await this.close();
  }
}

/** Go's name for the file of a socket. */
function nameOf({ net, localAddr, remoteAddr, isListener }) {
  return `${net}:${localAddr ?? ''}->${isListener ? '' : (remoteAddr ?? '')}`;
}

/** A verb that makes an endpoint of a file's descriptor. */
function adopting(adopt, form) {
  return (world, { as, from }) => {
    const file = world.files.get(from);
    try {
      if (file.fd < 0) throw syscallError('fcntl', 'EBADF');
      const object = adopt(file.fd);
      // Go duplicates the descriptor; here the endpoint has taken it, and the file gets the duplicate.
      file.fd = object.file();
      const endpoint = new Endpoint(object, (object.addr ?? object.localAddr).network);
      return form(world.put(as, endpoint));
    } catch (error) {
      const cause = error instanceof spliceway.OpError ? error.cause : error;
      return fail(new spliceway.OpError('file', 'file+net', null, file.name, cause));
    }
  };
}

const addrOnly = ({ localAddr }) => ({ ok: true, addr: addrForm(localAddr) });

async function mkfile(world, step) {
  const path = join(world.folder, step.as);
  writeFileSync(path, world.payloads.of(step));
  world.files.set(step.as, new RegularFile(await open(path), path));
  return { ok: true };
}

const limited = ({ limit }) => (typeof limit === 'number' ? { limit } : {});

async function sendFile(world, step, { object }) {
  const file = world.files.get(step.from);
  if (typeof step.offset === 'number') await file.seek(step.offset);
  try {
    const n = await spliceway.copy(object, file.handle, limited(step));
    const form = { ok: true, n, pos: file.position };
    return n < step.limit ? { ...form, eof: true } : form;
  } catch (error) {
    return failedWriteForm(error.bytesCopied ?? 0, file.size, error);
  }
}

async function copy(world, step) {
  const [src, dst] = [world.get(step.from).object, world.get(step.to).object];
  try {
    const n = await spliceway.copy(dst, src, limited(step));
    return n < step.limit ? { ok: true, n, eof: true } : { ok: true, n };
  } catch (error) {
    return { ...fail(error), some: error.bytesCopied > 0 };
  }
}

/** A call of node:fs, with the error that Go's os package makes of it. */
function onPath(op, path, call) {
  try {
    call();
    return { ok: true };
  } catch (error) {
    return fail(pathError(op, path, error));
  }
}

function removeOne(path) {
  if (lstatSync(path).isDirectory()) rmdirSync(path);
  else unlinkSync(path);
}

export const verbs = {
  file(world, { as }, endpoint) {
    world.files.set(as, new DescriptorFile(endpoint.inner.file(), nameOf(endpoint)));
    return { ok: true };
  },

  fileConn: adopting(
    (fd) => spliceway.fileConn(fd),
    ({ object }) => connForm(object),
  ),
  fileListener: adopting((fd) => spliceway.fileListener(fd), addrOnly),
  filePacketConn: adopting((fd) => spliceway.filePacketConn(fd), addrOnly),

  unlinkOnClose(_world, { value }, { inner }) {
    inner.setUnlinkOnClose(value);
    return { ok: true };
  },

  mkfile,
  sendFile,
  copy,

  exists(world, { path }) {
    const stat = lstatSync(world.expand(path), { throwIfNoEntry: false });
    return { ok: true, value: stat !== undefined };
  },

  touch(world, { path }) {
    const full = world.expand(path);
    return onPath('open', full, () => writeFileSync(full, ''));
  },

  remove(world, { path }) {
    const full = world.expand(path);
    return onPath('remove', full, () => removeOne(full));
  },
};
