// Preloaded into vitest and its workers by sanitized-addon.mjs. LeakSanitizer looks for leaks when a
// process exits, and takes its time; vitest ends its workers by SIGTERM, of which they would die
// without exiting, and half a second later by SIGKILL.

const { ChildProcess } = require('node:child_process');
const { isMainThread } = require('node:worker_threads');

const PATIENCE_MS = 60_000;

function beSlowToKill() {
  const { kill } = ChildProcess.prototype;
  ChildProcess.prototype.kill = function killLater(signal) {
    if (signal !== 'SIGKILL') return kill.call(this, signal);
    setTimeout(() => kill.call(this, signal), PATIENCE_MS).unref();
    return true;
  };
}

// vitest itself does nothing that a sanitizer should watch, and is quicker without: its workers load the runtime.
function preloadInChildren() {
  process.env.LD_PRELOAD = process.env.SPLICEWAY_TEST_PRELOAD;
}

if (isMainThread && process.send === undefined) {
  beSlowToKill();
  preloadInChildren();
} else if (isMainThread) {
  process.on('SIGTERM', () => process.exit());
}
