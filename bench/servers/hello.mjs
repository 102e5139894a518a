// What the http servers answer.

const BODY = 'Hello, world!\n';

export function hello(_request, response) {
  response.setHeader('Content-Type', 'text/plain');
  response.setHeader('Content-Length', BODY.length);
  response.end(BODY);
}
