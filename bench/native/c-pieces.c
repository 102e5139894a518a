// What a piece of 32 KiB costs on its way from a file to a socket, in each of the ways that the
// kernel offers: sends a file over and over to one connection at a time, until that ends.
//
//   c-pieces host:port file read-write|splice|sendfile

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tcp.h"

enum { PIECE = 32 * 1024 };

static char buffer[PIECE];
static int pipe_ends[2];

// Each moves at most `size` bytes of the file at *at to a blocking socket, and *at with them; false
// when the socket takes no more.
typedef bool move(int to, int file, off_t* at, size_t size);

static bool by_read_and_write(int to, int file, off_t* at, size_t size) {
  const ssize_t n = pread(file, buffer, size, *at);
  if (n <= 0) die("pread");
  for (ssize_t written = 0; written < n;) {
    const ssize_t m = write(to, buffer + written, n - written);
    if (m < 0) return false;
    written += m;
  }
  *at += n;
  return true;
}

static bool by_splice(int to, int file, off_t* at, size_t size) {
  ssize_t in_pipe = splice(file, at, pipe_ends[1], NULL, size, SPLICE_F_MOVE);
  if (in_pipe <= 0) die("splice");
  while (in_pipe > 0) {
    const ssize_t n = splice(pipe_ends[0], NULL, to, NULL, in_pipe, SPLICE_F_MOVE);
    if (n < 0) return false;
    in_pipe -= n;
  }
  return true;
}

static bool by_sendfile(int to, int file, off_t* at, size_t size) {
  return sendfile(to, file, at, size) > 0;
}

static const struct {
  const char* name;
  move* move;
} ways[] = {{"read-write", by_read_and_write}, {"splice", by_splice}, {"sendfile", by_sendfile}};

static move* way_named(const char* name) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    if (strcmp(ways[i].name, name) == 0) return ways[i].move;
  }
  return NULL;
}

static void send_over_and_over(int to, int file, off_t size, move* way) {
  for (off_t at = 0;; at %= size) {
    const off_t rest = size - at;
    if (!way(to, file, &at, rest < PIECE ? rest : PIECE)) return;
  }
}

static int accept_next(int listener) {
  struct pollfd wanted = {.fd = listener, .events = POLLIN};
  for (;;) {
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) return fd;
    if (errno != EAGAIN) die("accept4");
    poll(&wanted, 1, -1);
  }
}

int main(int argc, char** argv) {
  move* way = argc == 4 ? way_named(argv[3]) : NULL;
  if (way == NULL) {
    fprintf(stderr, "usage: c-pieces host:port file read-write|splice|sendfile\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  const int file = open(argv[2], O_RDONLY | O_CLOEXEC);
  struct stat about;
  if (file < 0 || fstat(file, &about) < 0) die(argv[2]);
  if (about.st_size == 0) {
    fprintf(stderr, "%s is empty\n", argv[2]);
    return 1;
  }
  const int listener = listen_on(argv[1]);
  announce("tcp", listener);
  for (;;) {
    const int to = accept_next(listener);
    // A pipe for each: what one connection did not take is not for the next.
    if (pipe2(pipe_ends, O_CLOEXEC) < 0) die("pipe2");
    send_over_and_over(to, file, about.st_size, way);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(to);
  }
}
