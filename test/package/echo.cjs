const spliceway = require('spliceway');
const echoOnce = require('./echo-once.cjs');

echoOnce(spliceway);
