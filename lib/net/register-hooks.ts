// The part of register.ts that runs where ES modules are resolved, which is a thread of its own.

import type { InitializeHook, ResolveHook } from 'node:module';

let ours = '';

export const initialize: InitializeHook<{ ours: string }> = (data) => {
  ours = data.ours;
};

export const resolve: ResolveHook = (specifier, context, next) => {
  const isNet = specifier === 'net' || specifier === 'node:net';
  if (!isNet || context.parentURL?.startsWith(ours) === true) return next(specifier, context);
  return { url: new URL('net/index.mjs', ours).href, format: 'module', shortCircuit: true };
};
