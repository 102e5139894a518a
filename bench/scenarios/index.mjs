// All scenarios, in the order in which they run.

import { connect } from './connect.mjs';
import { echo } from './echo.mjs';
import { forward } from './forward.mjs';
import { idle } from './idle.mjs';
import { udp } from './udp.mjs';

export const scenarios = [echo, connect, idle, forward, udp];
