// The package under test, as its users import it. What it does not offer fails the step that asks for it
// and no other.

import * as core from 'spliceway';

/** A subpath of the package; without it, an empty module. */
async function subpath(name) {
  try {
    return await import(`spliceway/${name}`);
  } catch (error) {
    if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED' && error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return {};
  }
}

const modules = {
  spliceway: core,
  'spliceway/codec': await subpath('codec'),
  'spliceway/limits': await subpath('limits'),
};

function offered(module) {
  return new Proxy(modules[module], {
    get(target, name) {
      if (name in target) return target[name];
      throw new Error(`${module} has no ${String(name)}`);
    },
  });
}

export const spliceway = offered('spliceway');
export const codec = offered('spliceway/codec');
export const limits = offered('spliceway/limits');
