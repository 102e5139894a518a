// All scenarios, in the order in which they run.

import { blocked } from './blocked.mjs';
import { connect } from './connect.mjs';
import { deadlines } from './deadlines.mjs';
import { echo } from './echo.mjs';
import { forward } from './forward.mjs';
import { forwardPingPong } from './forward-pingpong.mjs';
import { heartbeatIdle } from './heartbeat-idle.mjs';
import { idle } from './idle.mjs';
import { idleRelays } from './idle-relays.mjs';
import { pool } from './pool.mjs';
import { scanner } from './scanner.mjs';
import { sendfile } from './sendfile.mjs';
import { splice32k } from './splice-32k.mjs';
import { timeWait } from './time-wait.mjs';
import { udp } from './udp.mjs';

export const scenarios = [
  echo,
  connect,
  idle,
  deadlines,
  udp,
  forward,
  forwardPingPong,
  idleRelays,
  blocked,
  sendfile,
  splice32k,
  scanner,
  pool,
  timeWait,
  heartbeatIdle,
];
