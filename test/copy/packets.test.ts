import { copy, relay } from 'spliceway';
import { expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { unixPair } from '../support/pair.ts';

const SIZES = [100, 1, 100, 16_384, 40_000, 300];

test.runIf(process.platform === 'linux').each(['relay', 'copy'] as const)(
  '%s over unixpacket keeps every message what it is',
  async (how) => {
    using left = await unixPair('unixpacket');
    using right = await unixPair('unixpacket');
    const passing = how === 'relay' ? relay(left.server, right.client) : copy(right.client, left.server);
    const sent = SIZES.map((size, i) => bytes(size, i));
    const sending = (async () => {
      for (const message of sent) await left.client.write(message);
    })();
    for (const message of sent) expect((await right.server.read())?.equals(message)).toBe(true);
    await sending;
    left.client.close();
    right.server.close();
    await passing;
  },
);
