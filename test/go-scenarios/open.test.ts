// The published part of the conformance set.

import { compareWithGo } from './compare.ts';

compareWithGo('open');
