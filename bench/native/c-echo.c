// The yardstick of the echo benchmarks: what an edge-triggered epoll loop in plain C costs, with as
// few system calls as the job allows.
//
//   c-echo host:port

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp.h"

enum { MAX_EVENTS = 512, MAX_FD = 1 << 20 };

static char buffer[64 * 1024];
static int poller;

// Bytes that the kernel had no room for. Nothing more is read from a connection that has some.
struct rest {
  char* bytes;
  size_t start, length;
};
static struct rest rests[MAX_FD];

static void end(int fd) {
  free(rests[fd].bytes);
  rests[fd] = (struct rest){0};
  close(fd);
}

static void accept_all(int listener) {
  for (;;) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.fd = fd};
    if (fd >= MAX_FD || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted) < 0) close(fd);
  }
}

// Sends all of it; what finds no room is copied. False when the connection has failed.
static bool send_or_keep(int fd, const char* bytes, size_t length) {
  size_t sent = 0;
  while (sent < length) {
    const ssize_t n = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return false;
    if (n < 0) break;
    sent += n;
  }
  if (sent == length) return true;
  struct rest* rest = &rests[fd];
  *rest = (struct rest){.bytes = malloc(length - sent), .length = length - sent};
  if (rest->bytes == NULL) return false;
  memcpy(rest->bytes, bytes + sent, length - sent);
  return true;
}

static bool send_rest(int fd) {
  struct rest* rest = &rests[fd];
  while (rest->start < rest->length) {
    const ssize_t n = send(fd, rest->bytes + rest->start, rest->length - rest->start, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    rest->start += n;
  }
  free(rest->bytes);
  *rest = (struct rest){0};
  return true;
}

// A read that comes back short has emptied the queue, and what arrives later gives a new edge, so
// it need not be tried again for an EAGAIN; unless the event told of more than bytes.
static bool echo(int fd, bool to_the_end) {
  while (rests[fd].bytes == NULL) {
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0) return errno == EAGAIN;
    if (n == 0 || !send_or_keep(fd, buffer, n)) return false;
    if ((size_t)n < sizeof buffer && !to_the_end) return true;
  }
  return true;
}

static bool serve(int fd, uint32_t events) {
  bool to_the_end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (rests[fd].bytes != NULL) {
    // The edge that told of the bytes in the queue may be long gone.
    to_the_end = true;
    if (!send_rest(fd)) return false;
  } else if ((events & EPOLLIN) == 0) {
    return (events & (EPOLLHUP | EPOLLERR)) == 0;
  }
  return echo(fd, to_the_end);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: c-echo host:port\n");
    return 2;
  }
  raise_descriptor_limit();
  const int listener = listen_on(argv[1]);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  struct epoll_event wanted = {.events = EPOLLIN, .data.fd = listener};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &wanted) < 0) die("epoll_ctl");
  announce("tcp", listener);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    const int count = epoll_wait(poller, events, MAX_EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener);
      } else if (!serve(fd, events[i].events)) {
        end(fd);
      }
    }
  }
}
