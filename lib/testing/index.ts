// The public surface of `spliceway/testing`.

export { type ConnPair, type MakePipe, type TestConnOptions, testConn } from './conn';
export { type ListenerPair, type MakeListener, testListener } from './listener';
export type { ConformanceTest, RegisterTest, SuiteOptions } from './suite';
