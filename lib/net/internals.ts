// What a Socket and a Server keep besides node:net's own properties: under symbols, since programs give them, and
// classes of theirs, whatever names they like.

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

// What handles call.
export const kUserBuffer = Symbol('userBuffer');
export const kOnRead = Symbol('onRead');
export const kOnReadEnd = Symbol('onReadEnd');
export const kOnWritten = Symbol('onWritten');
export const kOnMoved = Symbol('onMoved');
export const kOnWriteFailed = Symbol('onWriteFailed');
export const kSpliceTarget = Symbol('spliceTarget');
export const kOnConnection = Symbol('onConnection');
export const kOnAcceptError = Symbol('onAcceptError');
export const kTakeHandle = Symbol('takeHandle');
