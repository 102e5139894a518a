// `node --import spliceway/net/register app.js`, or --require: application code that asks for node:net gets
// spliceway/net. Node's own modules and this package keep node:net.

import { Module, register } from 'node:module';
import { dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

type Load = (
  this: unknown,
  request: string,
  parent: { filename?: string | null } | null,
  ...rest: unknown[]
) => unknown;

const NAMES = new Set(['net', 'node:net']);
/** The compiled package. */
const OURS = dirname(__dirname) + sep;

// Loaded by the first who asks.
const implementation = (): unknown => require('./index');

function replaceRequired(): void {
  const loader = Module as unknown as { _load: Load };
  const load = loader._load;
  loader._load = function (request, parent, ...rest) {
    const isOurs = parent?.filename?.startsWith(OURS) === true;
    return NAMES.has(request) && !isOurs ? implementation() : load.call(this, request, parent, ...rest);
  };
}

function replaceBuiltin(): void {
  const holder = process as { getBuiltinModule?: (id: string) => unknown };
  const get = holder.getBuiltinModule;
  if (get === undefined) return;
  holder.getBuiltinModule = (id) => (NAMES.has(id) ? implementation() : get.call(process, id));
}

function replaceImported(): void {
  const here = pathToFileURL(__filename).href;
  register(new URL('./register-hooks.js', here).href, { data: { ours: pathToFileURL(OURS).href } });
}

replaceRequired();
replaceBuiltin();
replaceImported();
