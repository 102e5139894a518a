// All scenarios, in the order in which they run.

import { connect } from './connect.mjs';
import { deadlines } from './deadlines.mjs';
import { echo } from './echo.mjs';
import { forward } from './forward.mjs';
import { idle } from './idle.mjs';
import { scanner } from './scanner.mjs';
import { udp } from './udp.mjs';

export const scenarios = [echo, connect, idle, deadlines, udp, forward, scanner];
