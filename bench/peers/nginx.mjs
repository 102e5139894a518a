// nginx as a TCP proxy and as a server of files: one process, its defaults otherwise.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { scratchFile } from '../runner/scratch.mjs';
import { programNamed } from './installed.mjs';

const main = `\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 19000; }
`;

const proxy = (listen, target) => `\
${main}
stream {
  server {
    listen ${listen};
    proxy_pass ${target};
  }
}
`;

// The folders for bodies are made at the start, wanted or not.
const files = (listen, file) => `\
${main}
http {
  access_log off;
  sendfile on;
  client_body_temp_path client-body;
  proxy_temp_path proxied;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen ${listen};
    root ${dirname(file)};
  }
}
`;

function command(name, text) {
  const file = scratchFile(`${name}.conf`, text);
  return [programNamed('nginx'), '-p', dirname(file), '-c', file];
}

/** The line that loads the stream module: empty where it is built in, undefined where there is none. */
function streamModule() {
  const { stderr } = spawnSync(programNamed('nginx'), ['-V'], { encoding: 'utf8' });
  if (/--with-stream(\s|$)/.test(stderr)) return '';
  const [, folder] = /--modules-path=(\S+)/.exec(stderr) ?? [];
  const path = join(folder ?? '/usr/lib/nginx/modules', 'ngx_stream_module.so');
  return existsSync(path) ? `load_module ${path};\n` : undefined;
}

export const nginxStream = {
  name: 'nginx-stream',
  label: 'nginx stream',
  silent: true,
  installed: () => programNamed('nginx') !== undefined && streamModule() !== undefined,
  command: (listen, target) => command('nginx-stream', streamModule() + proxy(listen, target)),
};

export const nginxFiles = {
  name: 'nginx',
  label: 'nginx, sendfile on',
  silent: true,
  installed: () => programNamed('nginx') !== undefined,
  command: (listen, file) => command('nginx', files(listen, file)),
  request: (file) => `/${basename(file)}`,
};
