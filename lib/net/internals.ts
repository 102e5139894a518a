// What a Socket keeps besides node:net's own properties.

export const kTimer = Symbol('timer');
export const kReads = Symbol('reads');
export const kBytesRead = Symbol('bytesRead');
export const kBytesWritten = Symbol('bytesWritten');
export const kLastQueueSize = Symbol('lastQueueSize');
export const kNoDelay = Symbol('noDelay');
export const kKeepAlive = Symbol('keepAlive');
export const kKeepAliveDelay = Symbol('keepAliveDelay');
export const kDeadlines = Symbol('deadlines');
export const kSplice = Symbol('splice');
export const kSignal = Symbol('signal');
export const kBlockList = Symbol('blockList');
export const kPiped = Symbol('piped');
