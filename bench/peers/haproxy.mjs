// HAProxy as a TCP proxy: one thread, its defaults otherwise.

import { scratchFile } from '../runner/scratch.mjs';
import { programNamed } from './installed.mjs';

// Each connection takes two descriptors, and so does each pipe. It refuses to start where they would be more
// than the system allows it.
const BUSY = { maxconn: 2000, maxpipes: 4000 };
const IDLE = { maxconn: 9200, maxpipes: 500 };

const SPLICING = 'option splice-auto';

const configuration = (listen, target, { maxconn, maxpipes }, options) => `\
global
  nbthread 1
  maxconn ${maxconn}
  maxpipes ${maxpipes}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  ${options}
listen forward
  bind ${listen}
  server target ${target}
`;

function haproxy(name, label, short, limits, options) {
  return {
    name,
    label,
    short,
    silent: true,
    installed: () => programNamed('haproxy') !== undefined,
    command(listen, target) {
      const file = scratchFile(`${name}.cfg`, configuration(listen, target, limits, options));
      return [programNamed('haproxy'), '-db', '-f', file];
    },
  };
}

export const haproxySplice = haproxy('haproxy-splice', 'HAProxy, splice-auto', 'HAProxy', BUSY, SPLICING);
export const haproxyPlain = haproxy('haproxy', 'HAProxy', 'plain HAProxy', BUSY, '');
export const haproxyIdle = haproxy('haproxy-splice', 'HAProxy, splice-auto', 'HAProxy', IDLE, SPLICING);
