import { dial, listen } from 'spliceway';
import echoOnce from './echo-once.cjs';

await echoOnce({ dial, listen });
