// The yardstick of the sendfile benchmarks: sends a file to whoever connects, and closes.
//
//   c-sendfile host:port file

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tcp.h"

enum {
  MAX_EVENTS = 256,
  // A connection that takes more at once lets the others have their turn.
  PORTION = 1024 * 1024,
};

struct client {
  int fd;
  off_t sent;
};

static int file;
static off_t file_size;
static int poller;

static void accept_all(int listener) {
  for (;;) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct client* client = calloc(1, sizeof *client);
    // Level-triggered: what has room left when its portion is sent comes again.
    struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = client};
    if (client == NULL || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted) < 0) die("accept");
    client->fd = fd;
  }
}

// False once the connection has had the whole file, or is gone.
static bool send_portion(struct client* client) {
  const off_t end = client->sent + PORTION;
  while (client->sent < end && client->sent < file_size) {
    const ssize_t n = sendfile(client->fd, file, &client->sent, end - client->sent);
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
  }
  return client->sent < file_size;
}

static void serve(struct client* client) {
  if (send_portion(client)) return;
  close(client->fd);
  free(client);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: c-sendfile host:port file\n");
    return 2;
  }
  raise_descriptor_limit();
  signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  file = open(argv[2], O_RDONLY | O_CLOEXEC);
  struct stat about;
  if (file < 0 || fstat(file, &about) < 0) die(argv[2]);
  file_size = about.st_size;
  const int listener = listen_on(argv[1]);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  struct epoll_event wanted = {.events = EPOLLIN};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &wanted) < 0) die("epoll_ctl");
  announce("tcp", listener);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    const int count = epoll_wait(poller, events, MAX_EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) {
        accept_all(listener);
      } else {
        serve(events[i].data.ptr);
      }
    }
  }
}
