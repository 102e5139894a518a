// The yardstick of the heartbeats' round trips: asks an echo server for 28 bytes, the size of a
// PING, on each of its connections again and again, and prints how long each answer took: one line
// of JSON, in milliseconds.
//
//   c-ping host:port connections interval-ms samples

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tcp.h"

enum { SIZE = 28, MAX_EVENTS = 64 };

struct conn {
  int fd;
  int64_t due;      // when it asks again
  int64_t sent;     // when it asked
  int outstanding;  // bytes that are to come back
};

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int connect_to(const struct sockaddr_in* to) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd < 0) die("socket");
  if (connect(fd, (const struct sockaddr*)to, sizeof *to) < 0) die("connect");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) die("setsockopt");
  return fd;
}

// Up to a tenth early, so that the connections do not all ask at once.
static int64_t next_due(int64_t from, int64_t interval) {
  return from + interval - (int64_t)(drand48() * (double)interval / 10);
}

// The time counts from when the PING has left, as that of a heartbeat does.
static void ask(struct conn* conn, int64_t interval) {
  static const char ping[SIZE];
  conn->due = next_due(now(), interval);
  if (send(conn->fd, ping, SIZE, MSG_NOSIGNAL) != SIZE) die("send");
  conn->outstanding = SIZE;
  conn->sent = now();
}

// Whether all of the answer is there.
static bool hear(struct conn* conn) {
  char answer[SIZE];
  const ssize_t n = recv(conn->fd, answer, SIZE, 0);
  if (n <= 0) die("recv");
  conn->outstanding -= (int)n;
  return conn->outstanding == 0;
}

// Asks where it is time to; the milliseconds until it is again. A connection whose answer is not
// there waits for it.
static int ask_all(struct conn* conns, int count, int64_t interval) {
  int64_t first = INT64_MAX;
  for (int i = 0; i < count; i++) {
    struct conn* conn = &conns[i];
    if (conn->outstanding > 0) continue;
    if (conn->due <= now()) ask(conn, interval);
    if (conn->due < first) first = conn->due;
  }
  if (first == INT64_MAX) return -1;
  const int64_t left = first - now();
  return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

static void measure(int poller, struct conn* conns, int count, int64_t interval, double* samples,
                    int wanted) {
  for (int taken = 0; taken < wanted;) {
    struct epoll_event events[MAX_EVENTS];
    const int n = epoll_wait(poller, events, MAX_EVENTS, ask_all(conns, count, interval));
    if (n < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < n && taken < wanted; i++) {
      struct conn* conn = events[i].data.ptr;
      if (hear(conn)) samples[taken++] = (double)(now() - conn->sent) / 1e3;
    }
  }
}

int main(int argc, char** argv) {
  struct sockaddr_in to;
  const int count = argc == 5 ? atoi(argv[2]) : 0;
  const int64_t interval = argc == 5 ? atoi(argv[3]) * INT64_C(1000000) : 0;
  const int wanted = argc == 5 ? atoi(argv[4]) : 0;
  if (count < 1 || interval < 1 || wanted < 1 || parse_address(argv[1], &to) < 0) {
    fprintf(stderr, "usage: c-ping host:port connections interval-ms samples\n");
    return 2;
  }
  struct conn* conns = calloc((size_t)count, sizeof *conns);
  double* samples = calloc((size_t)wanted, sizeof *samples);
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  if (conns == NULL || samples == NULL || poller < 0) die("c-ping");
  for (int i = 0; i < count; i++) {
    conns[i] = (struct conn){.fd = connect_to(&to),
                             .due = now() + (int64_t)(drand48() * (double)interval)};
    struct epoll_event wanted_events = {.events = EPOLLIN, .data.ptr = &conns[i]};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, conns[i].fd, &wanted_events) < 0) die("epoll_ctl");
  }
  measure(poller, conns, count, interval, samples, wanted);
  for (int i = 0; i < wanted; i++) printf("%c%.3f", i == 0 ? '[' : ',', samples[i]);
  printf("]\n");
  free(conns);
  free(samples);
  return 0;
}
