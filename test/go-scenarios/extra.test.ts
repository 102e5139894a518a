// Scenarios of our own. Their expected results were made by the reference implementation, on Go 1.26.

import { compareWithGo } from './compare.ts';

compareWithGo('extra');
