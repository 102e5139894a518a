// All scenarios, in the order in which they run.

import { blocked } from './blocked.mjs';
import { connect } from './connect.mjs';
import { crc32 } from './crc32.mjs';
import { deadlines } from './deadlines.mjs';
import { echo } from './echo.mjs';
import { failover } from './failover.mjs';
import { forward } from './forward.mjs';
import { forwardPingPong } from './forward-pingpong.mjs';
import { frames } from './frames.mjs';
import { heartbeatBlocked } from './heartbeat-blocked.mjs';
import { heartbeatIdle } from './heartbeat-idle.mjs';
import { heartbeatRtt } from './heartbeat-rtt.mjs';
import { http } from './http.mjs';
import { idle } from './idle.mjs';
import { idleRelays } from './idle-relays.mjs';
import { netPipe } from './net-pipe.mjs';
import { pool } from './pool.mjs';
import { scanner } from './scanner.mjs';
import { sendfile } from './sendfile.mjs';
import { serialise } from './serialise.mjs';
import { splice32k } from './splice-32k.mjs';
import { timeWait } from './time-wait.mjs';
import { udp } from './udp.mjs';

export const scenarios = [
  echo,
  connect,
  idle,
  deadlines,
  udp,
  http,
  forward,
  forwardPingPong,
  netPipe,
  idleRelays,
  blocked,
  sendfile,
  splice32k,
  frames,
  crc32,
  scanner,
  serialise,
  pool,
  timeWait,
  failover,
  heartbeatIdle,
  heartbeatRtt,
  heartbeatBlocked,
];
