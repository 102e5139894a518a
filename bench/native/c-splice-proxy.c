// The yardstick of the forwarding benchmarks: a TCP proxy that moves bytes from socket to socket
// through a pipe with splice, so that they never enter its memory.
//
//   c-splice-proxy host:port target-host:port

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp.h"

enum {
  MAX_EVENTS = 256,
  PIPE_SIZE = 256 * 1024,
  // A stream that never pauses must let the others have their turn.
  ROUNDS_PER_TURN = 16,
};

// One direction of a pair: source → pipe → sink.
struct flow {
  int source, sink;
  int pipe[2];
  size_t in_pipe;
  bool source_ended;
  bool done;
  // In the line of those that used up their rounds: no edge will come for them.
  bool queued;
  struct flow* next;
  struct pair* pair;
};

// An end of a pair as epoll knows it: the flow that it feeds and the flow that it takes from.
struct end {
  struct flow* reads;
  struct flow* writes;
};

struct pair {
  struct flow flows[2];
  struct end ends[2];
  bool closed;
  struct pair* next_closed;
};

static int poller;
static struct sockaddr_in target;
static struct flow* line_first;
static struct flow** line_end = &line_first;
// Freed after the turn: an event of the same batch may still point to them.
static struct pair* closed_pairs;

static void queue(struct flow* flow) {
  if (flow->queued) return;
  flow->queued = true;
  flow->next = NULL;
  *line_end = flow;
  line_end = &flow->next;
}

static void close_pair(struct pair* pair) {
  if (pair->closed) return;
  pair->closed = true;
  for (int i = 0; i < 2; i++) {
    close(pair->flows[i].source);
    close(pair->flows[i].pipe[0]);
    close(pair->flows[i].pipe[1]);
  }
  pair->next_closed = closed_pairs;
  closed_pairs = pair;
}

static void free_closed(void) {
  struct pair** from = &closed_pairs;
  while (*from != NULL) {
    struct pair* pair = *from;
    if (pair->flows[0].queued || pair->flows[1].queued) {
      from = &pair->next_closed;
    } else {
      *from = pair->next_closed;
      free(pair);
    }
  }
}

enum outcome { MOVED, BLOCKED, FAILED };

// Asks for all the room that the pipe has left. BLOCKED: nothing came.
static enum outcome fill(struct flow* flow) {
  enum outcome outcome = BLOCKED;
  while (!flow->source_ended && flow->in_pipe < PIPE_SIZE) {
    const ssize_t n = splice(flow->source, NULL, flow->pipe[1], NULL, PIPE_SIZE - flow->in_pipe,
                             SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (n < 0) return errno == EAGAIN ? outcome : FAILED;
    flow->source_ended = n == 0;
    flow->in_pipe += n;
    outcome = MOVED;
  }
  return outcome;
}

static enum outcome drain(struct flow* flow) {
  while (flow->in_pipe > 0) {
    const ssize_t n = splice(flow->pipe[0], NULL, flow->sink, NULL, flow->in_pipe,
                             SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (n < 0) return errno == EAGAIN ? BLOCKED : FAILED;
    flow->in_pipe -= n;
  }
  return MOVED;
}

static enum outcome finish(struct flow* flow) {
  flow->done = true;
  return shutdown(flow->sink, SHUT_WR) == 0 ? BLOCKED : FAILED;
}

// EAGAIN from a source may also mean that the pipe has no slot left for its small pieces, so only
// an EAGAIN at an empty pipe proves the source to be empty: fill after every drain.
static enum outcome pump(struct flow* flow) {
  for (int round = 0; round < ROUNDS_PER_TURN; round++) {
    if (flow->done) return BLOCKED;
    const enum outcome filled = fill(flow);
    if (filled == FAILED) return FAILED;
    if (filled == BLOCKED && flow->in_pipe == 0 && !flow->source_ended) return BLOCKED;
    const enum outcome drained = drain(flow);
    if (drained != MOVED) return drained;
    if (flow->source_ended) return finish(flow);
  }
  queue(flow);
  return MOVED;
}

static void run(struct flow* flow) {
  struct pair* pair = flow->pair;
  if (pair->closed) return;
  const bool failed = pump(flow) == FAILED;
  if (failed || (pair->flows[0].done && pair->flows[1].done)) close_pair(pair);
}

static void run_line(void) {
  struct flow* flow = line_first;
  line_first = NULL;
  line_end = &line_first;
  while (flow != NULL) {
    struct flow* next = flow->next;
    flow->queued = false;
    run(flow);
    flow = next;
  }
}

static bool watch(struct end* end, int fd) {
  struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                               .data.ptr = end};
  return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

static int dial(void) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int connected = connect(fd, (struct sockaddr*)&target, sizeof target);
  if (connected == 0 || errno == EINPROGRESS) return fd;
  close(fd);
  return -1;
}

static void open_flow(struct flow* flow, struct pair* pair, int source, int sink) {
  *flow = (struct flow){.source = source, .sink = sink, .pair = pair};
  if (pipe2(flow->pipe, O_NONBLOCK | O_CLOEXEC) < 0) die("pipe2");
  // Anything less would be another proxy than the one that is to be measured.
  if (fcntl(flow->pipe[1], F_SETPIPE_SZ, PIPE_SIZE) < 0) {
    die("F_SETPIPE_SZ (see /proc/sys/fs/pipe-user-pages-soft)");
  }
}

static void open_pair(int client) {
  const int upstream = dial();
  struct pair* pair = upstream < 0 ? NULL : calloc(1, sizeof *pair);
  if (pair == NULL) {
    close(client);
    return;
  }
  struct flow* up = &pair->flows[0];
  struct flow* down = &pair->flows[1];
  open_flow(up, pair, client, upstream);
  open_flow(down, pair, upstream, client);
  pair->ends[0] = (struct end){.reads = up, .writes = down};
  pair->ends[1] = (struct end){.reads = down, .writes = up};
  if (!watch(&pair->ends[0], client) || !watch(&pair->ends[1], upstream)) close_pair(pair);
}

static void accept_all(int listener) {
  for (;;) {
    const int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    open_pair(client);
  }
}

static void serve(struct end* end, uint32_t events) {
  if (events & EPOLLERR) {
    if (!end->reads->pair->closed) close_pair(end->reads->pair);
    return;
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) run(end->reads);
  // Without a full pipe behind it there is nothing that room could help.
  if ((events & EPOLLOUT) && end->writes->in_pipe > 0) run(end->writes);
}

int main(int argc, char** argv) {
  if (argc != 3 || parse_address(argv[2], &target) < 0) {
    fprintf(stderr, "usage: c-splice-proxy host:port target-host:port\n");
    return 2;
  }
  raise_descriptor_limit();
  signal(SIGPIPE, SIG_IGN);  // splice has no MSG_NOSIGNAL
  const int listener = listen_on(argv[1]);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  struct epoll_event wanted = {.events = EPOLLIN};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &wanted) < 0) die("epoll_ctl");
  announce("tcp", listener);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    const int count = epoll_wait(poller, events, MAX_EVENTS, line_first == NULL ? -1 : 0);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) {
        accept_all(listener);
      } else {
        serve(events[i].data.ptr, events[i].events);
      }
    }
    run_line();
    free_closed();
  }
}
